import { WebhookError } from "../errors.ts";
import { MemoryRecords } from "./memory-records.ts";
import type { DedupeStore } from "./store.ts";

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
   * Told the key of each completed event that was forgotten before its retention ended, for want of room. What it throws is
   * swallowed.
   * @default a warning on the console, at most once a minute, without the key
   */
  readonly onEvict?: (key: string) => void;
}

const DEFAULT_MAX_ENTRIES = 100_000;
const WARNING_EVERY_MS = 60_000;
/**
 * Ended records dropped along the way by each verb that may add one. More than one, so that ended records dwindle; few, so
 * that no event pays for a burst that ended at once.
 */
const SWEPT_AT_ONCE = 4;

const memoryStores = new WeakSet<DedupeStore>();

/**
 * A store in this process's memory: for tests, development, and services that run as one process. Other processes do not
 * share it, and a restart forgets it.
 *
 * When it is full, what has ended gives way first, then the completed event that is oldest, which is reported; a live claim
 * never does. So `claim` rejects with `store_unavailable` while live claims alone fill it. `complete` never fails for want of
 * room: then, and only then, it holds one record more than `maxEntries`. It starts no timer.
 *
 * @throws WebhookError `configuration_invalid` where `maxEntries` is not a whole number from 1 up
 * @example
 * const receiver = createReceiver({ secret, store: memoryStore({ maxEntries: 500_000 }) });
 */
export function memoryStore(options: MemoryStoreOptions = {}): DedupeStore {
  const { maxEntries = DEFAULT_MAX_ENTRIES, now: clock = () => performance.now() } = options;
  requireCount("maxEntries", maxEntries);
  // Whole milliseconds: sums of fractions are not exact, and would tell of more time left than the lease ever had.
  const now = () => Math.floor(clock());
  const { onEvict = warnOfEvictions(maxEntries, now) } = options;
  let records = new MemoryRecords();

  // After a sweep the store holds nothing that has ended, or it has room already.
  function makeRoom(): void {
    for (let oldest = records.oldestCompleted; oldest && records.size >= maxEntries; oldest = records.oldestCompleted) {
      records.drop(oldest);
      report(onEvict, oldest.key);
    }
  }

  const store: DedupeStore = {
    async claim(key, { token, leaseMs }) {
      const at = now();
      records.sweep(at, SWEPT_AT_ONCE);
      const known = records.find(key, at);
      if (known?.completed) return { status: "completed" };
      if (known && known.token !== token) return { status: "in_flight", remainingMs: known.endsAt - at };
      if (known) {
        records.extend(known, at + leaseMs);
        return { status: "claimed" };
      }
      if (records.claims >= maxEntries) throw fullOfClaims(maxEntries);
      makeRoom();
      records.addClaim(key, token, at + leaseMs);
      return { status: "claimed" };
    },

    async renew(key, { token, leaseMs }) {
      const at = now();
      const known = records.find(key, at);
      if (!known || known.completed || known.token !== token) return false;
      records.extend(known, at + leaseMs);
      return true;
    },

    async complete(key, { token, retentionMs }) {
      const at = now();
      records.sweep(at, SWEPT_AT_ONCE);
      const known = records.find(key, at);
      if (known && known.token !== token) return known.completed ? "completed_by_another" : "held_by_another";
      if (known?.completed) return "stored";
      if (!known) makeRoom();
      records.complete(known ?? records.addClaim(key, token, at), at + retentionMs);
      return "stored";
    },

    async release(key, { token }) {
      const known = records.find(key, now());
      if (!known || known.completed || known.token !== token) return false;
      records.drop(known);
      return true;
    },

    async forget(key) {
      const known = records.find(key, now());
      if (known) records.drop(known);
      return known !== undefined;
    },

    async close() {
      records = new MemoryRecords();
    },
  };
  memoryStores.add(store);
  return store;
}

/** Whether a store was made by {@link memoryStore}: it needs no namespace, and other processes do not share it. */
export function isMemoryStore(store: DedupeStore): boolean {
  return memoryStores.has(store);
}

function requireCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new WebhookError("configuration_invalid", `memoryStore: ${name} must be a whole number from 1 up`);
}

function fullOfClaims(maxEntries: number): WebhookError {
  const message = `The memory store is full: ${maxEntries} events are being processed at once. Raise maxEntries.`;
  return new WebhookError("store_unavailable", message);
}

function report(onEvict: (key: string) => void, key: string): void {
  try {
    onEvict(key);
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
