/**
 * The contract of a dedupe store. A store remembers, for each event key, who is working on it now (a claim with a lease
 * and a token) or that it is done. Run `dedupeStoreContract` of `bluum-webhooks/testing` against your own.
 *
 * Every verb is atomic under concurrency, across all the processes that share the store, and timed by the store's own clock.
 * Keys are printable ASCII of at most 256 bytes. Every verb is idempotent for its own token, since clients resend and
 * replies get lost. A verb that gets no answer in bounded time rejects; it never hangs. A store never ends a client that it was handed.
 */
export interface DedupeStore {
  /**
   * False where only this process sees what the store remembers, as with the memory store. The receiver then warns in
   * production.
   * @default true
   */
  readonly shared?: boolean;
  /**
   * Takes the event for `token`, for `leaseMs`, unless another token's live claim or a completion stands in the way.
   * A claim by the token that holds the key already is `"claimed"` again, with a fresh lease.
   *
   * A claim that rejects may have been written all the same, or be written later. The receiver releases it, once; what that
   * release misses expires with its lease.
   *
   * @throws whatever the backend threw: the receiver answers `store_unavailable`
   */
  claim(key: string, by: ClaimBy): Promise<ClaimResult>;
  /**
   * Extends the lease of `token`'s live claim to `leaseMs` from now. It never creates a record, never revives a lapsed
   * one and never touches a completed one.
   *
   * @returns false where the claim is lost
   */
  renew(key: string, by: ClaimBy): Promise<boolean>;
  /**
   * Remembers the event as done for `retentionMs`, unless another token holds or has completed it. A lease that lapsed
   * but that nobody else took is still `"stored"`, and so is a repetition by the token that completed it.
   */
  complete(key: string, by: CompleteBy): Promise<CompleteResult>;
  /**
   * Gives `token`'s live claim up, so that the next delivery of the event may claim it. It never touches a completed record.
   *
   * @returns true where this token's live claim stood and is gone now
   */
  release(key: string, by: { readonly token: string }): Promise<boolean>;
  /**
   * Drops whatever is known of the event, so that a deliberate replay runs again.
   *
   * @returns true where something was known
   */
  forget?(key: string): Promise<boolean>;
  /**
   * How many calls the backend has not answered yet, those included that this store has given up waiting for: a client keeps
   * each of them in memory. While it is 1,000 or more, the receiver refuses new claims with `store_unavailable`. A store
   * without this method is judged by the claims that the receiver itself is waiting for.
   */
  unanswered?(): number;
  /** Frees what the store itself opened. Called by the receiver only for a store that it made itself. */
  close?(): Promise<void>;
}

/** Who claims or renews, and for how long. */
export interface ClaimBy {
  /** The random fencing token of this one attempt. */
  readonly token: string;
  /** How long the claim stands without a renewal, in milliseconds. */
  readonly leaseMs: number;
}

/** Who completes, and for how long the completion is remembered. */
export interface CompleteBy {
  /** The token that claimed. */
  readonly token: string;
  /** How long the event is remembered as done, in milliseconds. */
  readonly retentionMs: number;
}

/** What a claim found: it is yours now, somebody is at work, or it is done. */
export type ClaimResult =
  | { readonly status: "claimed" }
  | {
      readonly status: "in_flight" /** Until the other's lease lapses, in milliseconds. */;
      readonly remainingMs: number;
    }
  | { readonly status: "completed" };

/** What a completion found: it stands, another token holds the claim, or another token has completed it. */
export type CompleteResult = "stored" | "held_by_another" | "completed_by_another";
