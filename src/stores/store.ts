/**
 * The contract of a dedupe store. For each event key, a store remembers a claim (with a lease and a fencing token) or a
 * completion. Run `dedupeStoreContract` of `bluum-webhooks/testing` against your own store.
 *
 * Every verb is atomic across all processes that share the store, and timed by the store's own clock. Keys are printable ASCII of
 * at most 256 bytes. Every verb is idempotent for its own token, since clients resend and replies get lost. A verb that gets no
 * answer in time rejects; it never hangs. A store never closes a client that it was given.
 */
export interface DedupeStore {
  /**
   * False if only this process sees the records, as with the memory store. The receiver then warns in production.
   * @default true
   */
  readonly shared?: boolean;
  /**
   * Claims the event for `token`, for `leaseMs`, unless there is a live claim of another token or a completion. A claim by the
   * token that already holds it is `"claimed"` again, with a fresh lease.
   *
   * A claim that rejects may have been written all the same, or be written later. The receiver releases it once; if that fails,
   * it expires with its lease.
   *
   * @throws the error of the backend: the receiver answers `store_unavailable`
   */
  claim(key: string, by: ClaimBy): Promise<ClaimResult>;
  /**
   * Extends the lease of `token`'s live claim to `leaseMs` from now. It never creates a record, never revives an
   * expired one and never changes a completed one.
   *
   * @returns false if the claim is lost
   * @throws the backend's error
   */
  renew(key: string, by: ClaimBy): Promise<boolean>;
  /**
   * Remembers the event as processed for `retentionMs`, unless another token holds or has completed it. It is `"stored"` too if
   * the lease has expired and no other token claimed the event, or if the same token has completed it already.
   *
   * @throws the backend's error
   */
  complete(key: string, by: CompleteBy): Promise<CompleteResult>;
  /**
   * Releases `token`'s live claim, so that the next delivery of the event may claim it. It never changes a completed record.
   *
   * @returns true if this token held a live claim
   * @throws the backend's error
   */
  release(key: string, by: { readonly token: string }): Promise<boolean>;
  /**
   * Deletes the record of the event, so that a deliberate replay runs again.
   *
   * @returns true if there was one
   * @throws the backend's error
   */
  forget?(key: string): Promise<boolean>;
  /**
   * How many calls the backend has not answered yet, including those that timed out: a client keeps each of them in memory. While
   * it is 1,000 or more, the receiver refuses new claims with `store_unavailable`. For a store without this method the receiver
   * counts the claims that it waits for.
   */
  unanswered?(): number;
  /** Frees what the store itself opened. The receiver calls it only for a store that it created itself. */
  close?(): Promise<void>;
}

/** The token that claims or renews, and for how long. */
export interface ClaimBy {
  /** The random fencing token of this attempt. */
  readonly token: string;
  /** The lease: how long the claim stands without a renewal, in milliseconds. */
  readonly leaseMs: number;
}

/** The token that completes, and for how long the completion is remembered. */
export interface CompleteBy {
  /** The token that claimed. */
  readonly token: string;
  /** How long the event is remembered as processed, in milliseconds. */
  readonly retentionMs: number;
}

/** The result of a claim: granted, held by another token, or the event is completed. */
export type ClaimResult =
  | { readonly status: "claimed" }
  | {
      readonly status: "in_flight";
      /** Until the other's lease expires, in milliseconds. */
      readonly remainingMs: number;
    }
  | { readonly status: "completed" };

/** The result of a completion: stored, or another token holds or has completed the event. */
export type CompleteResult = "stored" | "held_by_another" | "completed_by_another";
