import type { SignedDelivery } from "../../testing/index.ts";

/** What came back for one delivery. */
export interface Answer {
  /** The status, or `undefined` where no answer came. */
  readonly status: number | undefined;
  /** The code of a refusal, or why no answer came. */
  readonly code: string | undefined;
  /** Whether the answer says that the event was processed before. */
  readonly duplicate: boolean;
  readonly latencyMs: number;
}

/** A receiver's answers are far shorter. */
const MAX_CHARACTERS = 4_096;

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
    return { status: undefined, code, duplicate: false, latencyMs: performance.now() - began };
  }
}

async function beginning(response: Response): Promise<string> {
  let text = "";
  if (response.body === null) return text;
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_CHARACTERS) break;
  }
  return text;
}

function receiversAnswer(text: string): Pick<Answer, "code" | "duplicate"> {
  try {
    const { error, duplicate } = JSON.parse(text) ?? {};
    return {
      code: typeof error?.code === "string" ? error.code.slice(0, 64) : undefined,
      duplicate: duplicate === true,
    };
  } catch {
    return { code: undefined, duplicate: false };
  }
}

/** What fetch throws has what happened underneath it. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}
