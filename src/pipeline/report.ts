import type { WebhookErrorCode } from "../errors.ts";
import type { IdentifiedBy, Outcome } from "./outcome.ts";

/** One record a delivery, for metrics and traces. It holds no payload and no secret. Durations are in milliseconds. */
export interface DeliveryReport {
  /** What the delivery came to. */
  readonly outcome: Outcome["kind"];
  /** Why it was not accepted, or how its processing went wrong. */
  readonly code?: WebhookErrorCode;
  /** The status answered, where this package saw it. */
  readonly status?: number;
  readonly eventId?: string;
  readonly type?: string;
  readonly identifiedBy?: IdentifiedBy;
  readonly secretIndex?: number;
  readonly bodyBytes?: number;
  /** Reading the body. */
  readonly readMs: number;
  /** Verifying the signature, the secret function's time included. */
  readonly verifyMs: number;
  /** Asking the store for the claim. */
  readonly claimMs: number;
  /** From the claim to the handler's result. */
  readonly handleMs: number;
  /** Telling the store the result. */
  readonly settleMs: number;
  /**
   * True for a request that claims to be a probe of `verifyMount`. The claim is not signed: anybody can send its header. Missing
   * otherwise.
   */
  readonly probe?: true;
  /** The error behind the code: of a handler, a store or a secret function. */
  readonly error?: unknown;
}
