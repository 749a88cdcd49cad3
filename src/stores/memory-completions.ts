import type { Fingerprint } from "./fingerprint.ts";
import { Endings } from "./memory-endings.ts";
import { SlotIndex } from "./memory-index.ts";
import { SlotQueue } from "./memory-queue.ts";
import { DOUBLE, NONE, Slots, WORD } from "./memory-slots.ts";

/**
 * The completed events of a memory store, found by key, by which was completed first and by which ends first. There may be
 * millions, so it keeps numbers only: the fingerprints of key and token, not their text.
 */
export class Completions {
  readonly #slots = new Slots();
  readonly #byKey = new SlotIndex(this.#slots);
  readonly #byAge = new SlotQueue(this.#slots, WORD.older, WORD.newer);
  readonly #byEnd = new Endings(this.#slots);
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of an event's completion, unless it has ended by `nowMs`; 0 where there is none. */
  find(key: Fingerprint, nowMs: number): number {
    const slot = this.#byKey.find(key);
    if (slot === NONE || this.#slots.double(slot, DOUBLE.endsAt) > nowMs) return slot;
    this.drop(slot);
    return NONE;
  }

  /**
   * Whether a token completed it. Half a fingerprint is enough: it is compared for one event only, and an error would give
   * a completion the wrong name, not run or lose an event.
   */
  isBy(slot: number, token: Fingerprint): boolean {
    return this.#slots.word(slot, WORD.token) === token.a && this.#slots.word(slot, WORD.token + 1) === token.b;
  }

  /** Adds the completion of an event that has none: the newest. */
  add(key: Fingerprint, token: Fingerprint, nowMs: number, retentionMs: number): void {
    const slot = this.#slots.take();
    this.#slots.setWord(slot, WORD.token, token.a);
    this.#slots.setWord(slot, WORD.token + 1, token.b);
    this.#byKey.add(slot, key);
    this.#byAge.add(slot);
    this.#byEnd.add(slot, retentionMs, nowMs + retentionMs);
    this.#size += 1;
  }

  /** Drops a completion by its number. */
  drop(slot: number): void {
    this.#byKey.remove(slot);
    this.#byAge.remove(slot);
    this.#byEnd.remove(slot);
    this.#slots.give(slot);
    this.#size -= 1;
  }

  /** Drops the oldest. There must be one. */
  dropOldest(): void {
    this.drop(this.#byAge.first);
  }

  /** Drops up to `atMost` that have ended by `nowMs`. */
  sweep(nowMs: number, atMost: number): void {
    for (let left = atMost; left > 0; left -= 1) {
      const slot = this.#byEnd.ended(nowMs);
      if (slot === NONE) return;
      this.drop(slot);
    }
  }
}
