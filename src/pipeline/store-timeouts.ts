import { withTimeout } from "../async.ts";
import type { ClaimResult, DedupeStore } from "../stores/store.ts";
import type { Deadline } from "./deadline.ts";

/** The verbs of a store that a claim needs; each ends in bounded time. */
export type TimedStore = Pick<DedupeStore, "claim" | "renew" | "complete" | "release">;

const CLAIM_STATUSES: ReadonlySet<unknown> = new Set<ClaimResult["status"]>(["claimed", "in_flight", "completed"]);

/** A store that does not answer for this long has failed, whatever its own timeout. */
const STORE_TIMEOUT_MS = 10_000;

/**
 * Bounds the time of a store's verbs; what a verb throws becomes a rejection. A claim that failed is released, once. A claim
 * that was answered with a status outside the contract has failed, too. A store in this process's own memory needs no timer.
 *
 * @param deadline when the process ends, where that is known
 */
export function timedStore(store: DedupeStore, deadline?: Deadline): TimedStore {
  const until = deadline?.storeBy ?? Number.POSITIVE_INFINITY;
  const leftMs = () => Math.max(1, Math.ceil(until - performance.now()));
  const inTime = <T>(answer: Promise<T>, mostMs = STORE_TIMEOUT_MS) =>
    store.shared === false
      ? answer
      : withTimeout(Promise.resolve(answer), Math.min(STORE_TIMEOUT_MS, mostMs, leftMs()));
  return {
    async claim(key, by) {
      let answer: Promise<ClaimResult> | undefined;
      try {
        answer = store.claim(key, by);
        const result = await inTime(answer);
        if (CLAIM_STATUSES.has(result?.status)) return result;
        throw new Error("the store's claim answered with none of claimed, in_flight and completed");
      } catch (error) {
        void releaseFailed(store, key, by.token, answer);
        throw error;
      }
    },
    // A renewal that hangs must leave time for another one.
    renew: async (key, by) => inTime(store.renew(key, by), by.leaseMs / 3),
    complete: async (key, by) => inTime(store.complete(key, by)),
    release: async (key, by) => inTime(store.release(key, by)),
  };
}

/**
 * Releases a failed claim once its own answer is known: its reply may have been lost, or come after the timeout. Unreleased it
 * would keep the event's retries away until its lease expires.
 */
async function releaseFailed(
  store: DedupeStore,
  key: string,
  token: string,
  answer: Promise<ClaimResult> | undefined,
): Promise<void> {
  try {
    const late = await Promise.resolve(answer).catch(() => undefined);
    if (late?.status !== "in_flight" && late?.status !== "completed") await store.release(key, { token });
  } catch {
    // It expires with its lease.
  }
}
