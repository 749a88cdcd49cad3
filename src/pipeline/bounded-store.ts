import { type Eventual, within } from "../async.ts";
import type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "../stores/store.ts";

/** The verbs of a claim's life, answered at once or later; what goes wrong is thrown or a rejection accordingly. */
export interface ClaimVerbs {
  claim(key: string, by: ClaimBy): Eventual<ClaimResult>;
  renew(key: string, by: ClaimBy): Eventual<boolean>;
  /** @param granted what the claim was answered */
  complete(key: string, by: CompleteBy, granted?: ClaimResult): Eventual<CompleteResult>;
  release(key: string, by: { readonly token: string }): Eventual<boolean>;
}

const CLAIMS: ReadonlySet<unknown> = new Set<ClaimResult["status"]>(["claimed", "in_flight", "completed"]);

/** A store that neither answers nor fails for this long has failed, whatever its own time-out. */
const STORE_TIMEOUT_MS = 10_000;

/**
 * A store's verbs as the receiver asks them: each for a bounded time, and what a verb throws is a rejection. A claim that
 * failed is released, once; one that was answered with none of the contract's words has failed, too.
 *
 * @param until when nobody can wait any more, by `performance.now()`
 */
export function boundedStore(store: DedupeStore, until: number = Number.POSITIVE_INFINITY): ClaimVerbs {
  const timeoutMs = () => Math.max(1, Math.min(STORE_TIMEOUT_MS, Math.ceil(until - performance.now())));
  return {
    async claim(key, terms) {
      const answer = started(() => store.claim(key, terms));
      try {
        const found = await within(answer, timeoutMs());
        if (CLAIMS.has(found?.status)) return found;
        throw new Error("the store's claim answered with none of claimed, in_flight and completed");
      } catch (error) {
        void releaseFailed(store, key, terms.token, answer);
        throw error;
      }
    },
    // A renewal that hangs must leave time for another one.
    renew: (key, terms) =>
      within(
        started(() => store.renew(key, terms)),
        Math.min(timeoutMs(), terms.leaseMs / 3),
      ),
    complete: (key, terms) =>
      within(
        started(() => store.complete(key, terms)),
        timeoutMs(),
      ),
    release: (key, terms) =>
      within(
        started(() => store.release(key, terms)),
        timeoutMs(),
      ),
  };
}

/**
 * Releases a failed claim, once its own answer is known: its reply may have been lost, or come after the timeout. Unreleased
 * it would keep the event's retries away until its lease expires. The answer of a store that timed out by itself is its
 * rejection; the release is then sent behind the claim.
 */
async function releaseFailed(
  store: DedupeStore,
  key: string,
  token: string,
  answer: Promise<ClaimResult>,
): Promise<void> {
  try {
    const late = await answer.catch(() => undefined);
    if (late?.status !== "in_flight" && late?.status !== "completed") await store.release(key, { token });
  } catch {
    // It expires with its lease.
  }
}

/** Calls the store inside a promise, so that a throw and a rejection are one. */
async function started<T>(verb: () => Promise<T>): Promise<T> {
  return verb();
}
