import { ignoreRejection } from "../deadline.ts";
import { WebhookError } from "../errors.ts";
import { msOf } from "../time.ts";
import { Fingerprints } from "./fingerprint.ts";
import { type Grant, Records } from "./memory-records.ts";
import type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** How a memory store is bounded, timed and watched. */
export interface MemoryStoreOptions {
  /**
   * How many events it knows at most, those being processed and those remembered as done together.
   * @default 100_000
   */
  readonly maxEntries?: number;
  /**
   * Its clock, in milliseconds; only differences count. It should never be set back.
   * @default performance.now, so that leases survive a step of the wall clock
   */
  readonly now?: () => number;
  /**
   * Called once for each completed event that was forgotten before its retention ended, for want of room. Not told which: the
   * store keeps fingerprints of completed keys, not the keys. What it throws is swallowed.
   * @default a warning on the console, at most once a minute
   */
  readonly onEvict?: () => void;
}

const DEFAULT_MAX_ENTRIES = 100_000;
const WARNING_EVERY_MS = 60_000;
/**
 * Ended claims and completions, dropped along the way by each verb that may add one. More than one, so that they dwindle; few,
 * so that no event pays for a burst that ended at once.
 */
const SWEPT_AT_ONCE = 4;

/** The verbs of a claim's life as a memory store does them, at once: what needs no waiting should not cost a promise. */
export interface ImmediateVerbs {
  claim(key: string, by: ClaimBy): ClaimResult;
  renew(key: string, by: ClaimBy): boolean;
  /** @param granted what the claim was answered, where that is at hand: by it the claim is found again at once */
  complete(key: string, by: CompleteBy, granted?: ClaimResult): CompleteResult;
  release(key: string, by: { readonly token: string }): boolean;
}

/** Of every memory store. */
const immediate = new WeakMap<DedupeStore, ImmediateVerbs>();

const CLAIMED = Object.freeze({ status: "claimed" } as const);
const COMPLETED = Object.freeze({ status: "completed" } as const);

/**
 * A store in this process's memory: for tests, development, and services that run as one process. Other processes do not
 * share it, and a restart forgets it.
 *
 * When it is full, what has ended gives way first, then the completed event that is oldest, which is reported; a live claim
 * never does. So `claim` rejects with `store_unavailable` while live claims alone fill it. `complete` never fails for want of
 * room: then, and only then, it holds one event more than `maxEntries`. It starts no timer.
 *
 * A completed event takes some 70 bytes. That memory is taken as it is needed, and used again from then on.
 *
 * @throws WebhookError `configuration_invalid` where `maxEntries` is not a whole number from 1 up
 * @example
 * const receiver = createReceiver({ secret, store: memoryStore({ maxEntries: 500_000 }), namespace: "orders-api" });
 */
export function memoryStore(options: MemoryStoreOptions = {}): DedupeStore {
  const { maxEntries = DEFAULT_MAX_ENTRIES, now: clock = () => performance.now() } = options;
  requireCount("maxEntries", maxEntries);
  // Whole milliseconds: sums of fractions are not exact, and would tell of more time left than the lease ever had.
  const now = () => wholeMs(msOf(clock()));
  const { onEvict = warnOfEvictions(maxEntries, now) } = options;
  const fingerprints = new Fingerprints();
  let records = new Records(maxEntries);

  // After a sweep the store holds nothing that has ended, or it has room already.
  function makeRoom(): void {
    while (records.completions > 0 && records.claims + records.completions >= maxEntries) {
      records.dropOldest();
      report(onEvict);
    }
  }

  /** The slot of a token's live claim, or none. */
  function claimOf(key: string, token: string, at: number): number {
    const slot = records.find(fingerprints.of(key), at);
    return slot && records.isClaimed(slot) && records.isBy(slot, fingerprints.halfOf(token)) ? slot : 0;
  }

  const verbs: ImmediateVerbs = {
    claim(key, { token, leaseMs }) {
      const at = now();
      records.sweep(at, SWEPT_AT_ONCE);
      const fingerprint = fingerprints.of(key);
      const known = records.find(fingerprint, at);
      if (known && !records.isClaimed(known)) return COMPLETED;
      const by = fingerprints.halfOf(token);
      if (known && !records.isBy(known, by)) return { status: "in_flight", remainingMs: records.endsAt(known) - at };
      if (known) {
        records.extend(known, at, leaseMs);
        return CLAIMED;
      }
      if (records.claims >= maxEntries) throw fullOfClaims(maxEntries);
      makeRoom();
      return records.claim(fingerprint, by, at, leaseMs);
    },

    renew(key, { token, leaseMs }) {
      const at = now();
      const held = claimOf(key, token, at);
      if (held) records.extend(held, at, leaseMs);
      return held > 0;
    },

    complete(key, { token, retentionMs }, granted) {
      const at = now();
      records.sweep(at, SWEPT_AT_ONCE);
      if (isGrant(granted) && records.stands(granted)) {
        records.complete(granted.slot, at, retentionMs);
        return "stored";
      }
      const fingerprint = fingerprints.of(key);
      const by = fingerprints.halfOf(token);
      const known = records.find(fingerprint, at);
      if (known && !records.isBy(known, by))
        return records.isClaimed(known) ? "held_by_another" : "completed_by_another";
      if (known && records.isClaimed(known)) records.complete(known, at, retentionMs);
      if (known) return "stored";
      makeRoom();
      records.addCompleted(fingerprint, by, at, retentionMs);
      return "stored";
    },

    release(key, { token }) {
      const held = claimOf(key, token, now());
      if (held) records.drop(held);
      return held > 0;
    },
  };
  const store: DedupeStore = {
    claim: async (key, by) => withoutGrant(verbs.claim(key, by)),
    renew: async (key, by) => verbs.renew(key, by),
    complete: async (key, by) => verbs.complete(key, by),
    release: async (key, by) => verbs.release(key, by),

    async forget(key) {
      const known = records.find(fingerprints.of(key), now());
      if (known) records.drop(known);
      return known > 0;
    },

    async close() {
      records = new Records(maxEntries);
    },
  };
  immediate.set(store, verbs);
  return store;
}

function isGrant(result: ClaimResult | undefined): result is Grant {
  return result !== undefined && "slot" in result;
}

/** What a claim found, as everybody may see it. */
function withoutGrant(result: ClaimResult): ClaimResult {
  return result.status === "claimed" ? CLAIMED : result;
}

/** Whether a store was made by {@link memoryStore}: other processes do not share it. */
export function isMemoryStore(store: DedupeStore): boolean {
  return immediate.has(store);
}

/** The verbs of a memory store without their promises; undefined for every other store. */
export function immediateVerbs(store: DedupeStore): ImmediateVerbs | undefined {
  return immediate.get(store);
}

function wholeMs(ms: number): number {
  if (!Number.isNaN(ms)) return Math.floor(ms);
  throw new WebhookError("configuration_invalid", "memoryStore: now gave no time in milliseconds");
}

function requireCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new WebhookError("configuration_invalid", `memoryStore: ${name} must be a whole number from 1 up`);
}

function fullOfClaims(maxEntries: number): WebhookError {
  const message = `The memory store is full: ${maxEntries} events are being processed at once. Raise maxEntries.`;
  return new WebhookError("store_unavailable", message);
}

function report(onEvict: () => void): void {
  try {
    ignoreRejection(onEvict());
  } catch {
    // A listener's own trouble must not refuse the delivery that needed the room.
  }
}

function warnOfEvictions(maxEntries: number, now: () => number): () => void {
  let evicted = 0;
  let quietUntil = Number.NEGATIVE_INFINITY;
  return () => {
    evicted += 1;
    if (now() < quietUntil) return;
    // biome-ignore lint/suspicious/noConsole: silence here would hide that duplicates may run again; onEvict replaces it
    console.warn(
      `bluum-webhooks: the memory store is full (maxEntries ${maxEntries}) and forgot completed events before their ` +
        `retention ended (${evicted} since the last warning). A late duplicate of one would run again. Raise maxEntries.`,
    );
    evicted = 0;
    quietUntil = now() + WARNING_EVERY_MS;
  };
}
