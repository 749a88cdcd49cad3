import {
  RECEIVERS_ANSWER_CHARACTERS,
  type ReceiversAnswer,
  receiversAnswer,
} from "../../sandbox/deliveries/receivers-answer.ts";
import type { SignedDelivery } from "../../testing/index.ts";

/** The answer to one delivery. Without an answer, `code` is the reason. */
export interface Answer extends ReceiversAnswer {
  /** The status, or `undefined` without an answer. */
  readonly status: number | undefined;
  readonly latencyMs: number;
}

/** Sends one delivery. Never rejects. Redirects are not followed, so that a signed body goes to the given URL only. */
export async function send(
  url: URL,
  delivery: SignedDelivery<string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const startedAtMs = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { ...delivery, redirect: "manual", signal: AbortSignal.any([signal, timeout]) });
    const answer = receiversAnswer(await readStart(response));
    return { status: response.status, ...answer, latencyMs: performance.now() - startedAtMs };
  } catch (error) {
    const code = timeout.aborted ? "timed out" : reasonOf(error);
    return { ...receiversAnswer(""), status: undefined, code, latencyMs: performance.now() - startedAtMs };
  }
}

/** Reads the start of the body, which is all that a receiver's answer needs. */
async function readStart(response: Response): Promise<string> {
  let text = "";
  if (response.body === null) return text;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > RECEIVERS_ANSWER_CHARACTERS) break;
  }
  return text;
}

/** The reason of an error that `fetch` throws, which is in its cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}
