import type { WebhookError } from "../errors.ts";
import type { BluumEvent } from "../events/event.ts";

/** The result of one delivery. What a sender can cause is a value here, never an exception. */
export type Outcome = AcceptedOutcome | DuplicateOutcome | InFlightOutcome | PingOutcome | RejectedOutcome;

/** A genuine event that this process has claimed: work on it, then settle. */
export interface AcceptedOutcome {
  readonly kind: "accepted";
  /** The typed event. */
  readonly event: BluumEvent;
  /** The delivery: ids, raw body, headers, signal. */
  readonly context: DeliveryContext;
  /**
   * Settles the claim. `"processed"` completes it, so that later deliveries of the event are duplicates; `"failed"` releases it, so
   * that the provider's retry runs.
   * The first call counts; later ones return its result. It never rejects.
   *
   * @param detail for the report only: the status that was answered, and the error behind a failure
   */
  settle(result: SettleAs, detail?: SettleDetail): Promise<Settled>;
}

/** The event was processed before: answer 2xx and do nothing. */
export interface DuplicateOutcome {
  readonly kind: "duplicate";
  readonly eventId: string;
}

/** The event is being processed now, by this process or another: answer 503, and the provider retries. */
export interface InFlightOutcome {
  readonly kind: "in_flight";
  readonly eventId: string;
  /** When the other claim expires unless it is renewed, in milliseconds. */
  readonly retryAfterMs: number;
}

/** A signed `bluum-webhooks.ping`: verified and parsed, never claimed, never routed. */
export interface PingOutcome {
  readonly kind: "ping";
}

/** The delivery was not accepted; `error.code` says why. */
export interface RejectedOutcome {
  readonly kind: "rejected";
  readonly error: WebhookError;
}

/** How the work on an event ended. */
export type SettleAs = "processed" | "failed";

/** What the report may say of a settled event. */
export interface SettleDetail {
  /** The HTTP status that was answered. */
  readonly status?: number;
  /** What the handler threw. */
  readonly error?: unknown;
}

/**
 * How settling ended:
 * - `stored`: the event is remembered as processed
 * - `released`: the claim was released
 * - `held_by_another`, `completed_by_another`: the claim was lost before
 * - `rolled_back`: the completion in the user's own transaction was rolled back
 * - `unstored`: the store gave no usable answer; a completion that failed is retried in the background
 */
export type Settled = "stored" | "released" | "held_by_another" | "completed_by_another" | "rolled_back" | "unstored";

/** How the event's id was found: see the documentation of {@link DeliveryContext.identifiedBy}. */
export type IdentifiedBy = "scheme" | "payload" | "body_hash" | "option";

/** An accepted delivery, as handlers see it. */
export interface DeliveryContext {
  /** The event's id, the same in every delivery of this event. */
  readonly eventId: string;
  /** Type and id together, unique per event, printable ASCII without `:`; use it as a job id. */
  readonly eventKey: string;
  /**
   * Where the id comes from: the signed message id of the scheme, a field of the payload, the hash of the raw body, or the
   * `eventId` option. With `"body_hash"` the payload names no event id: retries must be byte-identical to be recognised, and two
   * events with identical bytes are one event.
   */
  readonly identifiedBy: IdentifiedBy;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  /**
   * The headers as they came, names in lower case. They are NOT covered by the signature: anybody who captured a delivery can send it
   * again with other headers.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** When the delivery arrived, by the receiver's clock. */
  readonly receivedAt: Date;
  /** The index of the secret that matched: a rotation is complete when only the new one matches. */
  readonly secretIndex: number;
  /** False only where the store was down and `onStoreError` is `"accept"`: the event may have been processed before. */
  readonly deduplicated: boolean;
  /** Which run of the event this is, of the inbox's attempts; 1 of 1 without an inbox. */
  readonly attempt: { readonly number: number; readonly of: number };
  /**
   * Aborts when this process has lost the event (`reason.code` is `claim_lost`), has worked on it for longer than `maxProcessingMs`
   * (`handler_timeout`), or its worker was closed (`receiver_closed`). With `receiver.process` it also aborts when the caller's signal
   * does. A handler that gives up must throw: `signal.throwIfAborted()`.
   */
  readonly signal: AbortSignal;
}
