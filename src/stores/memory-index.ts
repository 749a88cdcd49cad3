import type { Fingerprint } from "./fingerprint.ts";
import { NONE, type Slots, WORD } from "./memory-slots.ts";

/**
 * Finds the slot of a key: a hash table of chained buckets that grows one bucket at a time ("linear hashing", W. Litwin
 * 1980). A table that doubles all at once would stop the process for as long as it takes to move every entry.
 *
 * A bucket refers to the first of its slots, and each slot to the next. There are as many buckets as slots, so that a bucket
 * has one slot on average, or none.
 */
export class SlotIndex {
  readonly #slots: Slots;
  /** How many buckets are in use. */
  #buckets = 1;
  /** The smallest power of two that is no smaller. */
  #reach = 1;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** The slot of a key, or none. */
  find(key: Fingerprint): number {
    const slots = this.#slots;
    let slot = slots.bucket(this.#bucketOf(key.a));
    while (slot !== NONE && !this.#holds(slot, key)) slot = slots.word(slot, WORD.next);
    return slot;
  }

  /** Takes in a slot, under a key that it does not know. */
  add(slot: number, key: Fingerprint): void {
    const slots = this.#slots;
    slots.setWord(slot, WORD.key, key.a);
    slots.setWord(slot, WORD.key + 1, key.b);
    slots.setWord(slot, WORD.key + 2, key.c);
    slots.setWord(slot, WORD.key + 3, key.d);
    while (this.#buckets < slots.count) this.#split();
    this.#put(slot, this.#bucketOf(key.a));
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const slots = this.#slots;
    const bucket = this.#bucketOf(slots.word(slot, WORD.key));
    const next = slots.word(slot, WORD.next);
    let before = slots.bucket(bucket);
    if (before === slot) {
      slots.setBucket(bucket, next);
      return;
    }
    while (slots.word(before, WORD.next) !== slot) before = slots.word(before, WORD.next);
    slots.setWord(before, WORD.next, next);
  }

  /** Adds a bucket, and moves to it what belongs there now: some of what one other bucket holds. */
  #split(): void {
    const slots = this.#slots;
    if (this.#buckets === this.#reach) this.#reach *= 2;
    const source = this.#buckets - this.#reach / 2;
    let slot = slots.bucket(source);
    slots.setBucket(source, NONE);
    this.#buckets += 1;
    while (slot !== NONE) {
      const next = slots.word(slot, WORD.next);
      this.#put(slot, this.#bucketOf(slots.word(slot, WORD.key)));
      slot = next;
    }
  }

  #put(slot: number, bucket: number): void {
    this.#slots.setWord(slot, WORD.next, this.#slots.bucket(bucket));
    this.#slots.setBucket(bucket, slot);
  }

  /** The bucket of a key by its first 32 bits: the low bits say which, one bit less where that bucket is still to come. */
  #bucketOf(bits: number): number {
    const bucket = mixed(bits) & (this.#reach - 1);
    return bucket < this.#buckets ? bucket : bucket - this.#reach / 2;
  }

  #holds(slot: number, key: Fingerprint): boolean {
    const slots = this.#slots;
    return (
      slots.word(slot, WORD.key) === key.a &&
      slots.word(slot, WORD.key + 1) === key.b &&
      slots.word(slot, WORD.key + 2) === key.c &&
      slots.word(slot, WORD.key + 3) === key.d
    );
  }
}

/**
 * Carries every bit of 32 to the low ones (the end of MurmurHash3). Those of a {@link Fingerprint} alone follow the low bits
 * of the characters, and would crowd keys that count up into few buckets.
 */
function mixed(bits: number): number {
  const once = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
