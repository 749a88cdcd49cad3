import { WebhookError } from "../errors.ts";
import type { DedupeStore } from "./store.ts";

/** The claim behind a delivery's context, for the `completeIn` of a store. */
export interface HeldClaim {
  /** The store that granted the claim. */
  readonly store: DedupeStore;
  readonly key: string;
  readonly token: string;
  /** How long the completion is remembered, in milliseconds. */
  readonly retentionMs: number;
  /**
   * Stops the lease renewals: from now on the caller's transaction guards the claim with its row lock. Settling then asks the store
   * whether the transaction was committed, instead of completing.
   */
  handOver(): void;
  /** Called once the completion is written in the caller's transaction: it may be committed even if the handler fails. */
  completionWritten(): void;
}

/** Base class of the context that handlers get. Only {@link claimBehind} can read its claim. */
export class ClaimedContext {
  readonly #claim: HeldClaim;

  constructor(claim: HeldClaim) {
    this.#claim = claim;
  }

  /** The claim behind a context, if there is one. */
  static claimOf(context: object): HeldClaim | undefined {
    return #claim in context ? context.#claim : undefined;
  }
}

/**
 * The claim behind a context, for `completeIn` and `transaction`.
 *
 * @throws WebhookError `configuration_invalid` if the context belongs to no delivery, or to a receiver with another store
 */
export function claimBehind(context: object, store: DedupeStore): HeldClaim {
  const claim = ClaimedContext.claimOf(Object(context));
  if (claim === undefined) {
    throw new WebhookError("configuration_invalid", "completeIn needs the context that the handler was given");
  }
  if (claim.store !== store) {
    throw new WebhookError("configuration_invalid", "completeIn was called on a store that is not the receiver's");
  }
  return claim;
}

/** The error of a transaction that must not commit, since the claim behind it is lost. */
export function claimLost(): WebhookError {
  return new WebhookError(
    "claim_lost",
    "Another process holds or has completed the event, or an earlier transaction of this delivery has completed it. " +
      "Let this error roll the transaction back.",
  );
}
