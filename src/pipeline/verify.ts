import { ignoreRejection, isPromise } from "../async.ts";
import { type Delivery, headerLookup, isBytes } from "../delivery.ts";
import { bodyAlreadyParsed, bodyTooLarge, type RejectionCode, WebhookError } from "../errors.ts";
import type { SignatureScheme, Verified } from "../schemes/scheme.ts";
import type { KeySource } from "./secrets.ts";

/**
 * Checks what the headers alone can tell, before any of the body is read: the method, the content encoding and the form of the
 * signature.
 *
 * @returns what the scheme read, for {@link verify}
 * @throws WebhookError with a code of the answers table
 */
export function checkHead({ method, headers }: Delivery, scheme: SignatureScheme): object {
  const header = headerLookup(headers);
  checkMethod(method);
  checkEncoding(header("content-encoding"));
  const presented: unknown = scheme.read(header);
  if (isObject(presented) && !isPromise(presented)) return presented;
  throw refused(presented);
}

/**
 * Checks that a body is bytes, and not too many. Nothing of it is decoded here.
 *
 * @throws WebhookError `body_already_parsed` or `body_too_large`
 */
export function checkBody(rawBody: unknown, maxBytes: number): asserts rawBody is Uint8Array {
  if (!isBytes(rawBody)) {
    ignoreRejection(rawBody);
    throw bodyAlreadyParsed("the body is not bytes");
  }
  if (rawBody.length > maxBytes) throw bodyTooLarge(maxBytes);
}

/**
 * Verifies the signature over the raw bytes. Where no key at hand matches, newer keys are tried: the secret may have been rotated.
 *
 * @param presented what {@link checkHead} returned
 * @throws WebhookError `signature_mismatch`, `timestamp_out_of_tolerance`, `secret_unavailable`, or `receiver_failed` where the scheme
 *   answered neither with a proof nor with a refusal
 */
export async function verify(
  scheme: SignatureScheme,
  presented: object,
  rawBody: Uint8Array,
  source: KeySource,
  nowMs: number,
): Promise<Verified> {
  const keys = await source.current();
  const answer: unknown = scheme.verify(presented, rawBody, keys, nowMs);
  if (isProof(answer, keys.length)) return answer;
  const newer = answer === "signature_mismatch" ? await source.newerThan(keys) : undefined;
  if (newer === undefined) throw refused(answer);
  const second: unknown = scheme.verify(presented, rawBody, newer, nowMs);
  if (isProof(second, newer.length)) return second;
  throw refused(second);
}

/**
 * Whether an answer names one of the keys, and a message id that is a text, if any. A scheme written in JavaScript may answer
 * `false`, or a promise.
 */
function isProof(answer: unknown, keys: number): answer is Verified {
  const { secretIndex, messageId } = (answer ?? {}) as { secretIndex?: unknown; messageId?: unknown };
  const named = Number.isInteger(secretIndex) && (secretIndex as number) >= 0 && (secretIndex as number) < keys;
  const identified = messageId === undefined || messageId === null || typeof messageId === "string";
  if (named && identified) return true;
  ignoreRejection(secretIndex);
  ignoreRejection(messageId);
  return false;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function checkMethod(method: string): void {
  if (method !== "POST") throw withoutStack("method_not_allowed", "a delivery is a POST request");
}

function checkEncoding(encoding: string | undefined): void {
  // The signature covers the bytes before any encoding that a proxy may have added: decoding here would be guessing.
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return;
  throw withoutStack("content_encoding_unsupported", "the body has a Content-Encoding; Bluum sends none");
}

const PROBLEM = {
  signature_missing: "the delivery has no signature",
  signature_malformed: "the delivery's signature header is not in the expected form",
  signature_mismatch:
    "no secret matches the delivery's signature: a wrong secret, another scheme, or a body changed on the way",
  timestamp_out_of_tolerance: "the delivery's signed timestamp is too far from this machine's clock",
} as const;

/** The refusal that a scheme answered with. Any other answer is a fault of the scheme, and admits nothing. */
function refused(answer: unknown): WebhookError {
  if (typeof answer === "string" && Object.hasOwn(PROBLEM, answer)) {
    const code = answer as keyof typeof PROBLEM;
    return withoutStack(code, PROBLEM[code]);
  }
  ignoreRejection(answer);
  return new WebhookError(
    "receiver_failed",
    "the signature scheme answered neither with a proof (secretIndex, and messageId if any) nor with the code of a refusal; it must answer at once",
  );
}

/** An error that anybody can cause by sending garbage: capturing its stack would cost more than checking a signature. */
function withoutStack(code: RejectionCode, message: string): WebhookError {
  const { stackTraceLimit } = Error;
  // Reflect, since a program may have frozen Error.
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return new WebhookError(code, message);
  } finally {
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  }
}
