import { WebhookError } from "../errors.ts";
import type { DedupeStore } from "./store.ts";

/** What a store's `completeIn` needs to know of the claim behind a delivery's context. */
export interface HeldClaim {
  /** The store that gave the claim. */
  readonly store: DedupeStore;
  readonly key: string;
  readonly token: string;
  /** How long the completion is to be remembered, in milliseconds. */
  readonly retentionMs: number;
  /**
   * Ends the renewals, since from now on the row that the caller's transaction has locked guards the claim. Settling will then
   * ask the store whether the transaction was committed, instead of completing.
   */
  handOver(): void;
  /** The completion stands in the caller's transaction: a handler that fails from now on may have been committed all the same. */
  completionWritten(): void;
}

/** A context, as handlers get it, with the claim behind it, which only {@link claimBehind} sees. */
export class ClaimedContext {
  readonly #claim: HeldClaim;

  constructor(claim: HeldClaim) {
    this.#claim = claim;
  }

  /** The claim behind a context that has one. */
  static claimOf(context: object): HeldClaim | undefined {
    return #claim in context ? context.#claim : undefined;
  }
}

/**
 * The claim behind a context, for `completeIn`.
 *
 * @throws WebhookError `configuration_invalid` where the context is none of a live delivery, or of a receiver with another store
 */
export function claimBehind(context: object, store: DedupeStore): HeldClaim {
  const claim = ClaimedContext.claimOf(Object(context));
  if (claim === undefined) {
    throw new WebhookError(
      "configuration_invalid",
      "completeIn was given something else than the context of a delivery",
    );
  }
  if (claim.store !== store) {
    throw new WebhookError("configuration_invalid", "completeIn was called on another store than the receiver's");
  }
  return claim;
}
