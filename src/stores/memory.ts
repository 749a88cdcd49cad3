import { ignoreRejection } from "../async.ts";
import { WebhookError } from "../errors.ts";
import { msOf } from "../time.ts";
import type { DedupeStore } from "./store.ts";

/** Size, clock and eviction listener of a memory store. */
export interface MemoryStoreOptions {
  /**
   * The most events it holds: claimed and completed ones together.
   * @default 100_000
   */
  readonly maxEntries?: number;
  /**
   * Its clock, in milliseconds; only differences count. It should never be set back.
   * @default performance.now, so that leases survive a step of the wall clock
   */
  readonly now?: () => number;
  /**
   * Called once for each completed event that was dropped before its retention ended, because the store was full. What it
   * throws is ignored.
   * @default a warning on the console, at most once a minute
   */
  readonly onEvict?: () => void;
}

const DEFAULT_MAX_ENTRIES = 100_000;
const WARNING_EVERY_MS = 60_000;
/** Entries that each claim and completion checks for expiry. More than one, so that expired entries dwindle; few, so that no event pays for all. */
const SWEPT_AT_ONCE = 4;

/** A claim or a completion: whose it is, and when it expires by the store's clock. */
interface Entry {
  readonly token: string;
  expiresAt: number;
}

/**
 * A store in this process's memory: for tests, development, and services that run as one process. Other processes do not
 * share it, and a restart forgets it.
 *
 * When it is full, expired entries are dropped first, then the event that was completed first, which is reported. A live claim
 * is never dropped: `claim` rejects with `store_unavailable` while live claims alone fill the store. `complete` never fails
 * for want of room; in that one case the store holds one event more than `maxEntries`. It starts no timer.
 *
 * A completed event takes about 200 bytes.
 *
 * @throws WebhookError `configuration_invalid` where `maxEntries` is not a whole number from 1 up
 * @example
 * const store = memoryStore({ maxEntries: 500_000 });
 * const receiver = createReceiver({ secret, namespace: "orders-api", store });
 */
export function memoryStore(options: MemoryStoreOptions = {}): DedupeStore {
  const { maxEntries = DEFAULT_MAX_ENTRIES, now: clock = () => performance.now() } = options;
  requireCount("maxEntries", maxEntries);
  // Whole milliseconds: sums of fractions are inexact, and could report more time left than the lease ever had.
  const now = () => wholeMs(msOf(clock()));
  const { onEvict = warnOfEvictions(maxEntries, now) } = options;

  const claims = new Map<string, Entry>();
  /** In order of completion: a Map iterates in order of insertion. */
  const completions = new Map<string, Entry>();
  const claimSweep = new Cursor(claims);
  const completionSweep = new Cursor(completions);
  const oldestCompletion = new Cursor(completions);

  /** The entry of a key; expired ones are dropped on sight. */
  function live(entries: Map<string, Entry>, key: string, at: number): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || entry.expiresAt > at) return entry;
    entries.delete(key);
    return undefined;
  }

  function sweep(at: number): void {
    dropExpired(claims, claimSweep, at, SWEPT_AT_ONCE);
    dropExpired(completions, completionSweep, at, SWEPT_AT_ONCE);
  }

  function makeRoom(): void {
    while (completions.size > 0 && claims.size + completions.size >= maxEntries) {
      const oldest = oldestCompletion.next();
      if (oldest === undefined) return;
      completions.delete(oldest.key);
      report(onEvict);
    }
  }

  /** Refuses a claim that has no room even when everything expired is gone. */
  function requireRoomForClaim(at: number): void {
    if (claims.size < maxEntries) return;
    dropExpired(claims, claimSweep, at, claims.size);
    if (claims.size >= maxEntries) throw fullOfClaims(maxEntries);
  }

  return {
    shared: false,

    async claim(key, { token, leaseMs }) {
      const at = now();
      sweep(at);
      if (live(completions, key, at)) return { status: "completed" };
      const claim = live(claims, key, at);
      if (claim && claim.token !== token) return { status: "in_flight", remainingMs: claim.expiresAt - at };
      if (claim) claim.expiresAt = at + leaseMs;
      else {
        requireRoomForClaim(at);
        makeRoom();
        claims.set(key, { token, expiresAt: at + leaseMs });
      }
      return { status: "claimed" };
    },

    async renew(key, { token, leaseMs }) {
      const at = now();
      const claim = live(claims, key, at);
      if (claim?.token !== token) return false;
      claim.expiresAt = at + leaseMs;
      return true;
    },

    async complete(key, { token, retentionMs }) {
      const at = now();
      sweep(at);
      const completion = live(completions, key, at);
      if (completion) return completion.token === token ? "stored" : "completed_by_another";
      const claim = live(claims, key, at);
      if (claim && claim.token !== token) return "held_by_another";
      if (claim) claims.delete(key);
      else makeRoom();
      completions.set(key, { token, expiresAt: at + retentionMs });
      return "stored";
    },

    async release(key, { token }) {
      const claim = live(claims, key, now());
      return claim?.token === token && claims.delete(key);
    },

    async forget(key) {
      const at = now();
      const known = live(claims, key, at) ?? live(completions, key, at);
      claims.delete(key);
      completions.delete(key);
      return known !== undefined;
    },

    async close() {
      claims.clear();
      completions.clear();
    },
  };
}

/** Walks over a map that changes meanwhile, round and round. A new iterator for each step would skip all deleted places again. */
class Cursor {
  readonly #entries: Map<string, Entry>;
  #iterator: Iterator<[string, Entry]>;

  constructor(entries: Map<string, Entry>) {
    this.#entries = entries;
    this.#iterator = entries.entries();
  }

  /** The next entry, from the start again after the last one; undefined where the map is empty. */
  next(): { key: string; entry: Entry } | undefined {
    let step = this.#iterator.next();
    if (step.done) {
      this.#iterator = this.#entries.entries();
      step = this.#iterator.next();
    }
    return step.done ? undefined : { key: step.value[0], entry: step.value[1] };
  }
}

/** Checks `count` entries and drops the expired ones. */
function dropExpired(entries: Map<string, Entry>, cursor: Cursor, at: number, count: number): void {
  for (let checked = 0; checked < count; checked += 1) {
    const next = cursor.next();
    if (next === undefined) return;
    if (next.entry.expiresAt <= at) entries.delete(next.key);
  }
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
    // A failing listener must not refuse the delivery that needed the room.
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
