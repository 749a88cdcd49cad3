import { ignoreRejection, isPending } from "../async.ts";
import { type Delivery, headerLookup, isBytes } from "../delivery.ts";
import { bodyAlreadyParsed, bodyTooLarge, type RejectionCode, WebhookError } from "../errors.ts";
import type { SignatureScheme, Verified } from "../schemes/scheme.ts";

/**
 * Whether the headers can still succeed: the method, the coding and the form of the signature, before anything of the body is read.
 *
 * @throws WebhookError with a code of the answers table
 */
export function checkHead({ method, headers }: Delivery, scheme: SignatureScheme): object {
  const header = headerLookup(headers);
  checkMethod(method);
  checkEncoding(header("content-encoding"));
  const presented: unknown = scheme.read(header);
  if (isObject(presented) && !isPending(presented)) return presented;
  throw refused(presented);
}

/**
 * Whether a body is bytes, and not too many. Nothing of it is decoded here.
 *
 * @throws WebhookError `body_already_parsed` or `body_too_large`
 */
export function checkBody(rawBody: unknown, maxBytes: number): void {
  if (!isBytes(rawBody)) {
    ignoreRejection(rawBody);
    throw bodyAlreadyParsed("the body came as something else than bytes");
  }
  if (rawBody.length > maxBytes) throw bodyTooLarge(maxBytes);
}

/**
 * Who signed these bytes, and when.
 *
 * @returns the proof, or a refusal with a code of the answers table; returned, since throwing it would cost more than making it, and
 *   garbage is to be cheap
 */
export function checkSignature(
  scheme: SignatureScheme,
  presented: object,
  rawBody: Uint8Array,
  keys: readonly unknown[],
  nowMs: number,
): Verified | WebhookError {
  const verified: unknown = scheme.verify(presented, rawBody, keys, nowMs);
  return isProof(verified, keys.length) ? verified : refused(verified);
}

/**
 * Whether it names one of so many keys, and a message id that is one, if any. No type keeps a scheme that is written in JavaScript
 * from answering `false`, or a promise.
 */
function isProof(verified: unknown, keys: number): verified is Verified {
  const { secretIndex, messageId } = (verified ?? {}) as { secretIndex?: unknown; messageId?: unknown };
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
  // The signature covers the bytes before any coding that a proxy may have put on: decoding here would be guessing.
  if (encoding === undefined || encoding === "" || encoding.toLowerCase() === "identity") return;
  throw withoutStack("content_encoding_unsupported", "the body came with a Content-Encoding; Bluum sends none");
}

const PROBLEM = {
  signature_missing: "the delivery carries no signature",
  signature_malformed: "the delivery's signature header is not in the expected form",
  signature_mismatch:
    "no secret matches the delivery's signature: a wrong secret, another scheme, or a body changed on the way",
  timestamp_out_of_tolerance: "the delivery's signed timestamp is too far from this machine's clock",
} as const;

/** The refusal that a scheme tells by its code. Anything else that it answers is a fault of its own, and admits nothing. */
function refused(answer: unknown): WebhookError {
  if (typeof answer === "string" && Object.hasOwn(PROBLEM, answer)) {
    const code = answer as keyof typeof PROBLEM;
    return withoutStack(code, PROBLEM[code]);
  }
  ignoreRejection(answer);
  return new WebhookError(
    "handler_failed",
    "the signature scheme answered neither with a proof (secretIndex, and messageId if any) nor with the code of a refusal; it must answer at once",
  );
}

/**
 * What anybody can cause by sending garbage. Where in the code it was found tells nothing that the code does not, and finding out
 * costs more than checking a signature.
 */
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
