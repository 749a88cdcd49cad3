import { type Ending, ExpiryHeap } from "./expiry-heap.ts";

/** What the memory store knows of one event: a live claim, or a completion. */
export interface MemoryRecord extends Ending {
  readonly key: string;
  /** Who claimed it; a completed record keeps the token that completed it. */
  readonly token: string;
  completed: boolean;
  /** The neighbours in the order of completion. */
  older: MemoryRecord | undefined;
  newer: MemoryRecord | undefined;
}

/**
 * The records of a memory store, found by key, by which ends first and by which was completed first.
 *
 * The order of completion is a linked list and not the order of a Map: finding the first entry of a Map steps over every
 * hole that deletions left before it, which in a queue of a million takes milliseconds each time.
 */
export class MemoryRecords {
  readonly #byKey = new Map<string, MemoryRecord>();
  readonly #byEnd = new ExpiryHeap<MemoryRecord>();
  #oldest: MemoryRecord | undefined;
  #newest: MemoryRecord | undefined;
  #completed = 0;

  /** How many records there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** How many of them are claims. */
  get claims(): number {
    return this.#byKey.size - this.#completed;
  }

  /** The record that was completed before all others. */
  get oldestCompleted(): MemoryRecord | undefined {
    return this.#oldest;
  }

  /** The record of a key, unless it has ended by `nowMs`. */
  find(key: string, nowMs: number): MemoryRecord | undefined {
    const record = this.#byKey.get(key);
    if (record === undefined || record.endsAt > nowMs) return record;
    this.drop(record);
    return undefined;
  }

  /** Adds a claim on a key that has no record. */
  addClaim(key: string, token: string, endsAt: number): MemoryRecord {
    const record = { key, token: flat(token), endsAt, place: 0, completed: false, older: undefined, newer: undefined };
    this.#byKey.set(key, record);
    this.#byEnd.add(record);
    return record;
  }

  /** Lets a claim end later, or sooner. */
  extend(record: MemoryRecord, endsAt: number): void {
    record.endsAt = endsAt;
    this.#byEnd.move(record);
  }

  /** Turns a claim into a completion, the newest. */
  complete(record: MemoryRecord, endsAt: number): void {
    record.completed = true;
    this.extend(record, endsAt);
    record.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = record;
    else this.#newest.newer = record;
    this.#newest = record;
    this.#completed += 1;
  }

  /** Drops a record, claim or completion. */
  drop(record: MemoryRecord): void {
    this.#byKey.delete(record.key);
    this.#byEnd.remove(record);
    if (record.completed) this.#unlink(record);
  }

  /** Drops up to `atMost` records that have ended by `nowMs`. */
  sweep(nowMs: number, atMost: number): void {
    for (let left = atMost; left > 0; left -= 1) {
      const first = this.#byEnd.first();
      if (first === undefined || first.endsAt > nowMs) return;
      this.drop(first);
    }
  }

  #unlink(record: MemoryRecord): void {
    if (record.older === undefined) this.#oldest = record.newer;
    else record.older.newer = record.newer;
    if (record.newer === undefined) this.#newest = record.older;
    else record.newer.older = record.older;
    this.#completed -= 1;
  }
}

/**
 * The same text, in one piece. V8 keeps a `randomUUID` as the tree of pieces that it was joined from, 700 bytes for each event
 * remembered; reading a character makes one string of them. (Text without one is "" anyway.)
 */
function flat(text: string): string {
  return text.charCodeAt(0) >= 0 ? text : "";
}
