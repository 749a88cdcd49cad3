import { ignoreRejection } from "../async.ts";
import { WebhookError } from "../errors.ts";
import { checksFor, clockMs } from "../options.ts";
import type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** Size, clock and eviction listener of a memory store. */
export interface MemoryStoreOptions {
  /**
   * The most events it holds: claimed and completed ones together.
   * @default 100_000
   */
  readonly maxEntries?: number;
  /**
   * The clock, in milliseconds from any start. It must never go back.
   * @default performance.now, so that leases survive a step of the wall clock
   */
  readonly now?: () => number;
  /**
   * Called once for each completed event that was dropped before its retention expired, because the store was full. Its errors
   * are ignored.
   * @default a warning on the console, at most once a minute
   */
  readonly onEvict?: () => void;
}

const checks = checksFor("memoryStore");
const DEFAULT_MAX_ENTRIES = 100_000;
const WARNING_EVERY_MS = 60_000;
/** Entries that each claim and completion checks for expiry. More than the one that it adds, so that a backlog shrinks. */
const SWEPT_AT_ONCE = 2;

/** A claim or a completion: its token, and when it expires by the store's clock. */
interface Entry {
  readonly token: string;
  expiresAt: number;
}

/**
 * A store in this process's memory: for tests, development, and services that run as one process. Other processes do not
 * share it, and a restart loses it. It starts no timer. A completed event takes about 220 bytes.
 *
 * Each verb drops a few expired entries. When the store is full, it drops the event that was completed first and reports it. It
 * never drops a live claim: while live claims alone fill the store, `claim` rejects with `store_unavailable`. `complete` always
 * succeeds; the store may then hold one event more than `maxEntries`.
 *
 * @throws WebhookError `configuration_invalid` if `maxEntries` is not a whole number from 1 up
 * @example
 * const store = memoryStore({ maxEntries: 500_000 });
 * const receiver = createReceiver({ secret, namespace: "orders-api", store });
 */
export function memoryStore(options: MemoryStoreOptions = {}): DedupeStore {
  const { maxEntries = DEFAULT_MAX_ENTRIES, now: clock = () => performance.now() } = options;
  checks.integer("maxEntries", maxEntries, 1);
  // Whole milliseconds: sums of fractions are inexact, and could report more time left than the lease ever had.
  const now = () => wholeMs(clockMs(clock()));
  const records = new Records(maxEntries, options.onEvict ?? warnOfEvictions(maxEntries, now));
  return {
    shared: false,
    claim: async (key, by) => records.claim(key, by, now()),
    renew: async (key, by) => records.renew(key, by, now()),
    complete: async (key, by) => records.complete(key, by, now()),
    release: async (key, { token }) => records.release(key, token, now()),
    forget: async (key) => records.forget(key, now()),
    close: async () => records.clear(),
  };
}

/** The claims and completions of one store. */
class Records {
  readonly #maxEntries: number;
  readonly #onEvict: () => void;
  readonly #claims = new Map<string, Entry>();
  /** In order of completion: a Map iterates in order of insertion. */
  readonly #completions = new Map<string, Entry>();
  readonly #claimSweep = new Cursor(this.#claims);
  readonly #completionSweep = new Cursor(this.#completions);
  readonly #oldestCompletion = new Cursor(this.#completions);

  constructor(maxEntries: number, onEvict: () => void) {
    this.#maxEntries = maxEntries;
    this.#onEvict = onEvict;
  }

  claim(key: string, { token, leaseMs }: ClaimBy, at: number): ClaimResult {
    this.#sweep(at);
    if (live(this.#completions, key, at)) return { status: "completed" };
    const claim = live(this.#claims, key, at);
    if (claim && claim.token !== token) return { status: "in_flight", remainingMs: claim.expiresAt - at };
    if (claim) claim.expiresAt = at + leaseMs;
    else {
      this.#requireRoomForClaim(at);
      this.#makeRoom(at);
      this.#claims.set(key, { token, expiresAt: at + leaseMs });
    }
    return { status: "claimed" };
  }

  renew(key: string, { token, leaseMs }: ClaimBy, at: number): boolean {
    const claim = live(this.#claims, key, at);
    if (claim?.token !== token) return false;
    claim.expiresAt = at + leaseMs;
    return true;
  }

  complete(key: string, { token, retentionMs }: CompleteBy, at: number): CompleteResult {
    this.#sweep(at);
    const completion = live(this.#completions, key, at);
    if (completion) return completion.token === token ? "stored" : "completed_by_another";
    const claim = live(this.#claims, key, at);
    if (claim && claim.token !== token) return "held_by_another";
    if (claim) this.#claims.delete(key);
    else this.#makeRoom(at);
    this.#completions.set(key, { token, expiresAt: at + retentionMs });
    return "stored";
  }

  release(key: string, token: string, at: number): boolean {
    return live(this.#claims, key, at)?.token === token && this.#claims.delete(key);
  }

  forget(key: string, at: number): boolean {
    const known = live(this.#claims, key, at) ?? live(this.#completions, key, at);
    this.#claims.delete(key);
    this.#completions.delete(key);
    return known !== undefined;
  }

  clear(): void {
    this.#claims.clear();
    this.#completions.clear();
  }

  #sweep(at: number): void {
    dropExpired(this.#claims, this.#claimSweep, at, SWEPT_AT_ONCE);
    dropExpired(this.#completions, this.#completionSweep, at, SWEPT_AT_ONCE);
  }

  #makeRoom(at: number): void {
    while (this.#completions.size > 0 && this.#claims.size + this.#completions.size >= this.#maxEntries) {
      const oldest = this.#oldestCompletion.next();
      if (oldest === undefined) return;
      this.#completions.delete(oldest.key);
      if (oldest.entry.expiresAt > at) report(this.#onEvict);
    }
  }

  /** Refuses a claim that has no room even when everything expired is gone. */
  #requireRoomForClaim(at: number): void {
    if (this.#claims.size < this.#maxEntries) return;
    dropExpired(this.#claims, this.#claimSweep, at, this.#claims.size);
    if (this.#claims.size >= this.#maxEntries) throw fullOfClaims(this.#maxEntries);
  }
}

/** The entry of a key; an expired one is dropped on sight. */
function live(entries: Map<string, Entry>, key: string, at: number): Entry | undefined {
  const entry = entries.get(key);
  if (entry === undefined || entry.expiresAt > at) return entry;
  entries.delete(key);
  return undefined;
}

/** Walks round and round over a map that changes meanwhile. A new iterator for each step would skip all deleted entries again. */
class Cursor {
  readonly #entries: Map<string, Entry>;
  #iterator: Iterator<[string, Entry]>;

  constructor(entries: Map<string, Entry>) {
    this.#entries = entries;
    this.#iterator = entries.entries();
  }

  /** The next entry; after the last one the first; undefined if the map is empty. */
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
  throw checks.invalid("now", "must return a time in milliseconds");
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
        `retention expired (${evicted} since the last warning). A late duplicate of one would run again. Raise maxEntries.`,
    );
    evicted = 0;
    quietUntil = now() + WARNING_EVERY_MS;
  };
}
