import type { Reply } from "../delivery.ts";
import type { RejectionCode, WebhookErrorCode } from "../errors.ts";
import type { AcceptedOutcome, Outcome, Settled } from "./outcome.ts";

/** The only place that picks a status. A code that is forgotten here is a type error. */
const STATUS: Readonly<Record<RejectionCode, number>> = {
  signature_missing: 401,
  signature_malformed: 401,
  signature_mismatch: 401,
  timestamp_out_of_tolerance: 401,
  payload_not_utf8: 400,
  payload_not_json: 400,
  payload_not_event: 400,
  event_too_old: 400,
  method_not_allowed: 405,
  body_too_large: 413,
  content_encoding_unsupported: 415,
  body_timeout: 408,
  // Nobody is left to read it; the report shows it.
  body_incomplete: 408,
  body_already_parsed: 500,
  receiver_busy: 503,
  store_unavailable: 503,
  secret_unavailable: 503,
  inbox_unavailable: 503,
  inbox_full: 503,
  receiver_closed: 503,
  // Every provider retries a 5xx; some give up on a 4xx.
  event_in_flight: 503,
  receiver_failed: 500,
  handler_failed: 500,
  handler_timeout: 503,
  no_handlers: 500,
  unhandled: 500,
  event_type_failed: 500,
  event_id_failed: 500,
  completion_rolled_back: 500,
};

const RETRY_AFTER_MS = 5_000;

/** The answer to an event that was processed, or stored in the inbox. */
export const RECEIVED: Reply = received({});
const RECEIVED_BEFORE = received({ duplicate: true });
const PINGED = received({ ping: true });
/** The answer to an event that no handler matches, where that is acknowledged. */
export const UNHANDLED: Reply = received({ unhandled: true });

/**
 * The answer to an outcome. For an accepted one it is the plain 200 of an event that was processed: send it after you
 * have settled, and only if the settlement stands (see `replyToSettled`).
 */
export function replyTo(outcome: Outcome): Reply {
  switch (outcome.kind) {
    case "accepted":
      return RECEIVED;
    case "duplicate":
      return RECEIVED_BEFORE;
    case "ping":
      return PINGED;
    case "in_flight":
      return refusal("event_in_flight", outcome.retryAfterMs);
    case "rejected":
      return refusal(outcome.error.code, outcome.error.retryAfterMs);
  }
}

/**
 * The answer that a settlement imposes in place of the app's own 2xx, or `undefined` where the app's answer stands:
 * a 2xx is a promise, and an event that another process holds is not ours to promise.
 */
export function replyToSettled(settled: Settled): Reply | undefined {
  switch (settled) {
    case "held_by_another":
      return refusal("event_in_flight");
    case "completed_by_another":
      return RECEIVED_BEFORE;
    case "rolled_back":
      return refusal("completion_rolled_back");
    default:
      return undefined;
  }
}

/**
 * For adapters: settles an accepted event by the status that the app answers. Only a 2xx is a promise to the provider;
 * anything else makes it retry.
 *
 * @returns the reply that must take the place of the app's own 2xx, or `undefined` where the app's answer stands
 */
export async function settleByStatus(outcome: AcceptedOutcome, status: number): Promise<Reply | undefined> {
  const promised = isSuccess(status);
  const settled = await outcome.settle(promised ? "processed" : "failed", { status });
  return promised ? replyToSettled(settled) : undefined;
}

/** Whether a status is a promise to the provider. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The status of the answer to an outcome. */
export function statusOf(outcome: Outcome): number {
  return replyTo(outcome).status;
}

/**
 * The answer to a refusal: the code and nothing else, since detail would help a forger.
 *
 * @param retryAfterMs the `Retry-After` of a 503, in milliseconds. @default 5_000
 */
export function refusal(code: WebhookErrorCode, retryAfterMs: number = RETRY_AFTER_MS): Reply {
  const known = answeredCode(code);
  const status = STATUS[known];
  const headers: Record<string, string> = {};
  if (status === 503) headers["retry-after"] = String(secondsOf(retryAfterMs));
  if (status === 405) headers.allow = "POST";
  return json(status, { error: { code: known } }, headers);
}

/** The milliseconds come from the store, which may be custom and wrong. */
function secondsOf(ms: number): number {
  const value = Number(ms);
  return Math.max(1, Math.ceil((Number.isFinite(value) ? value : RETRY_AFTER_MS) / 1000));
}

/** Usage codes are mistakes of the program: to the provider the receiver failed. */
function answeredCode(code: WebhookErrorCode): RejectionCode {
  return Object.hasOwn(STATUS, code) ? (code as RejectionCode) : "receiver_failed";
}

/** Made once and given to everybody, so nobody may change it. */
function received(more: object): Reply {
  const reply = json(200, { received: true, ...more });
  Object.freeze(reply.headers);
  return Object.freeze(reply);
}

function json(status: number, body: object, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}
