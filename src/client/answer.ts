import type { BluumApiError } from "./errors.ts";
import { type CallInFailure, failureOfAnswer, redirected, unexpectedAnswer } from "./failure.ts";
import { at, isObject } from "./json.ts";
import type { Settings } from "./options.ts";

/** A success. */
export interface Answer {
  /** What its JSON says; `undefined` where a delete was answered with anything else. */
  readonly body: unknown;
  /** An error that says why this answer cannot be used. */
  readonly unexpected: (why: string) => BluumApiError;
}

/** The largest answer that is read. 200 webhooks, the longest page there is, have about a twentieth of it. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Reads an answer to its end.
 *
 * @throws BluumApiError where it is no success, no JSON, a redirect, or larger than 8 MiB
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

/** A runtime may hide the status of a redirect that it did not follow. */
function isRedirect({ type, status }: Response): boolean {
  return type === "opaqueredirect" || (status >= 300 && status < 400);
}

/** An error under a status that says success. */
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

/** `undefined` where it is no JSON: the parser's own error would quote it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
