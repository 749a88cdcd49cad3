import {
  RECEIVERS_ANSWER_CHARACTERS,
  type ReceiversAnswer,
  receiversAnswer,
} from "../../sandbox/deliveries/receivers-answer.ts";
import type { SignedDelivery } from "../../testing/index.ts";

/** What came back for one delivery. Where no answer came, `code` says why. */
export interface Answer extends ReceiversAnswer {
  /** The status, or `undefined` where no answer came. */
  readonly status: number | undefined;
  readonly latencyMs: number;
}

/** Sends one delivery. Never rejects. Redirects are not followed: a signed body goes nowhere but to the URL that was given. */
export async function send(
  url: URL,
  delivery: SignedDelivery<string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const began = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { ...delivery, redirect: "manual", signal: AbortSignal.any([signal, timeout]) });
    const answer = receiversAnswer(await beginning(response));
    return { status: response.status, ...answer, latencyMs: performance.now() - began };
  } catch (error) {
    const code = timeout.aborted ? "timed out" : reasonOf(error);
    return { ...receiversAnswer(""), status: undefined, code, latencyMs: performance.now() - began };
  }
}

async function beginning(response: Response): Promise<string> {
  let text = "";
  if (response.body === null) return text;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > RECEIVERS_ANSWER_CHARACTERS) break;
  }
  return text;
}

/** What fetch throws has what happened underneath it. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}
