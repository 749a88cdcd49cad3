/** Why a delivery was not accepted or not handled: the codes that replies carry. */
export type RejectionCode =
  | "signature_missing"
  | "signature_malformed"
  | "signature_mismatch"
  | "timestamp_out_of_tolerance"
  | "payload_not_utf8"
  | "payload_not_json"
  | "payload_not_event"
  | "event_too_old"
  | "method_not_allowed"
  | "body_too_large"
  | "content_encoding_unsupported"
  | "body_timeout"
  | "body_incomplete"
  | "body_already_parsed"
  | "receiver_busy"
  | "store_unavailable"
  | "secret_unavailable"
  | "inbox_unavailable"
  | "inbox_full"
  | "receiver_closed"
  | "event_in_flight"
  | "receiver_failed"
  | "handler_failed"
  | "handler_timeout"
  | "no_handlers"
  | "unhandled"
  | "event_type_failed"
  | "event_id_failed"
  | "completion_rolled_back";

/** Mistakes in how this package is used or mounted, and claims that were lost. No sender can cause these. */
export type UsageCode =
  /** An option has a value that cannot work; the message names the option. */
  | "configuration_invalid"
  /** `on` was given an invalid pattern, or a handler was registered too late or under a name that is taken. */
  | "registration_refused"
  /** `bluumEvent` was called on a request that no `bluumWebhooks` middleware accepted. */
  | "middleware_missing"
  /** Another process has claimed or completed the event: the work of this one must not count. */
  | "claim_lost"
  /** What was read from an inbox is no message of this version. */
  | "inbox_message_invalid"
  /** `verifyMount` found that a mount is not sound; the error's `findings` say why. */
  | "mount_broken";

/** Every code that a {@link WebhookError} may carry. The codes are API: they do not change in a minor version. */
export type WebhookErrorCode = RejectionCode | UsageCode;

/** What a {@link WebhookError} may carry besides its code and message. */
export interface WebhookErrorDetails {
  /** The underlying error, if there is one. Never sent to the provider. */
  readonly cause?: unknown;
  /** After how many milliseconds a retry may succeed; sent as `Retry-After`. */
  readonly retryAfterMs?: number;
}

/**
 * The error class of this package. `code` is stable and meant for programs, `message` for people. Neither ever contains a secret, a
 * signature or any part of a payload. `docs/reference/errors.md` explains each code under a heading of its name.
 */
export class WebhookError extends Error {
  override readonly name: string = "WebhookError";
  /** What went wrong, for programs. */
  readonly code: WebhookErrorCode;
  /** After how many milliseconds a retry may succeed. */
  declare readonly retryAfterMs?: number;

  constructor(code: WebhookErrorCode, message: string, details: WebhookErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

/**
 * For body readers: the body has more bytes than `maxBodyBytes` allows.
 *
 * @param maxBytes the limit, in bytes
 */
export function bodyTooLarge(maxBytes: number): WebhookError {
  return new WebhookError("body_too_large", `the body is larger than maxBodyBytes (${maxBytes})`);
}

/**
 * For body readers: the body was not complete within `bodyTimeoutMs`.
 *
 * @param timeoutMs the limit, in milliseconds
 */
export function bodyTimedOut(timeoutMs: number): WebhookError {
  return new WebhookError("body_timeout", `the body was not complete within bodyTimeoutMs (${timeoutMs})`);
}

/** For body readers: the sender disconnected, or the stream failed. */
export function bodyIncomplete(cause?: unknown): WebhookError {
  const details = cause === undefined ? {} : { cause };
  return new WebhookError("body_incomplete", "the sender disconnected before the body was complete", details);
}

/** The bodies that are read or verified at the same time take all the memory that the receiver reserves for them. */
export function receiverBusy(): WebhookError {
  return new WebhookError(
    "receiver_busy",
    "the bodies that are read or verified at the same time take all the memory reserved for them",
  );
}

/**
 * For body readers: something else has read the body.
 *
 * @param found what was found instead of the bytes, as the beginning of a sentence
 * @param remedy what the operator should do, in the words of the framework. @default mount the receiver before it
 */
export function bodyAlreadyParsed(
  found: string,
  remedy = "mount the receiver before anything that reads bodies, or give it the exact bytes",
): WebhookError {
  return new WebhookError("body_already_parsed", `${found}, and the signed bytes are lost; ${remedy}`);
}

/**
 * For adapters: `bluumEvent` was called on a request that has no event.
 *
 * @param call how the app called it, such as `bluumEvent(req)`
 */
export function middlewareMissing(call: string): WebhookError {
  return new WebhookError(
    "middleware_missing",
    `${call} was called on a request that bluumWebhooks(receiver) did not accept; mount that before this handler`,
  );
}

/**
 * Whether a value is an error of any realm. `instanceof` alone does not suffice: test runners such as Jest run programs in a separate
 * realm, where errors thrown by Node or a native driver have another `Error` class.
 */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/**
 * The error that an adapter throws after a failure, so that its framework is sure to answer with an error status. Frameworks read a
 * status from the error, and some do not treat `null` as an error: both could turn a failed event into a 2xx, or into no answer. Koa
 * also writes the status to the error, and sends no answer if it cannot.
 */
export function rethrowable(thrown: unknown): Error {
  if (thrown instanceof Error && Object.isExtensible(thrown) && hasOnlyFailures(thrown)) return thrown;
  return new WebhookError("handler_failed", "a handler of a webhook event failed", { cause: thrown });
}

function hasOnlyFailures(error: Error): boolean {
  try {
    return ["status", "statusCode"].every((name) => {
      const status: unknown = Reflect.get(error, name);
      return status === undefined || (typeof status === "number" && status >= 400 && Reflect.set(error, name, status));
    });
  } catch {
    return false;
  }
}
