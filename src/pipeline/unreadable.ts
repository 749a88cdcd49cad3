import { WebhookError } from "../errors.ts";

/** For readers of bodies: one byte more came than `maxBodyBytes` allows. */
export function bodyTooLarge(maxBytes: number): WebhookError {
  return new WebhookError("body_too_large", `the body is larger than maxBodyBytes (${maxBytes})`);
}

/** For readers of bodies: it was not complete within `bodyTimeoutMs`. */
export function bodyTimedOut(timeoutMs: number): WebhookError {
  return new WebhookError("body_timeout", `the body was not complete within bodyTimeoutMs (${timeoutMs})`);
}

/** For readers of bodies: the sender left, or the stream broke. */
export function bodyIncomplete(cause?: unknown): WebhookError {
  const details = cause === undefined ? {} : { cause };
  return new WebhookError("body_incomplete", "the sender left before the body was complete", details);
}

/**
 * For readers of bodies: something else was there first.
 *
 * @param found what was found in place of the bytes
 */
export function bodyAlreadyParsed(found: string): WebhookError {
  return new WebhookError("body_already_parsed", `${found}, and the bytes that were signed are gone`);
}
