import type { BluumApiError } from "./errors.ts";
import { type CallInFailure, failureOfAnswer, redirected, unexpectedAnswer } from "./failure.ts";
import { at, isObject } from "./json.ts";
import type { Settings } from "./options.ts";

/** A successful answer. */
export interface Answer {
  /** The parsed JSON; `undefined` if a delete was answered without JSON. */
  readonly body: unknown;
  /** Makes the error that says why this answer cannot be used. */
  readonly unexpected: (why: string) => BluumApiError;
}

/** The largest answer that is read. A page of 200 webhooks, the longest, has about a twentieth of it. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Reads a whole answer.
 *
 * @throws BluumApiError if it is an error, a redirect, not JSON, or larger than 8 MiB
 */
export async function readAnswer(call: CallInFailure, response: Response, settings: Settings): Promise<Answer> {
  if (isRedirect(response)) {
    response.body?.cancel().catch(() => {});
    throw redirected(call, response, settings);
  }
  const unexpected = (why: string) => unexpectedAnswer(call, response, why, settings);
  const text = await readText(response);
  if (text === undefined) throw unexpected(`it is larger than ${MAX_ANSWER_BYTES} bytes`);
  const body = parseJson(text);
  if (!response.ok || isError(body)) throw failureOfAnswer(call, response, body, settings);
  if (body === undefined && call.method !== "delete") throw unexpected(text === "" ? "it is empty" : "it is not JSON");
  return { body, unexpected };
}

/** Some runtimes hide the status of a redirect that they did not follow. */
function isRedirect({ type, status }: Response): boolean {
  return type === "opaqueredirect" || (status >= 300 && status < 400);
}

/** Whether the body is an error, which may come with a status of success. */
function isError(body: unknown): boolean {
  return at(body, "status") === "error" || isObject(at(body, "error"));
}

async function readText(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/** `undefined` if the text is not JSON. The parser's error is dropped, since it quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
