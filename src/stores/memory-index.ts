import type { Fingerprint } from "./fingerprint.ts";
import { NONE, type Slots, WORD, wordOf } from "./memory-slots.ts";

/** The most buckets that there are from the start, in half a megabyte, of which nothing is taken until it is used. */
const MOST_FIRST_BUCKETS = 1 << 17;
const CHUNK_BITS = 12;
const CHUNK_BUCKETS = 1 << CHUNK_BITS;

/**
 * Finds the slot of a key: a hash table of chained buckets that grows one bucket at a time ("linear hashing", W. Litwin
 * 1980). A table that doubles all at once would stop the process for as long as it takes to move every entry.
 *
 * A bucket refers to the first of its slots, and each slot to the next. There are at least as many buckets as slots, so that a
 * bucket has one slot on average, or none. Growing costs a third of an event, and so a store of the usual size has all its buckets
 * from the start.
 */
export class SlotIndex {
  readonly #slots: Slots;
  readonly #first: Int32Array;
  readonly #chunks: Int32Array[] = [];
  /** How many buckets are in use. */
  #buckets: number;
  /** The smallest power of two that is no smaller. */
  #reach: number;

  /** @param expected how many slots there may come to be */
  constructor(slots: Slots, expected: number) {
    this.#slots = slots;
    this.#buckets = 2 ** Math.ceil(Math.log2(Math.min(expected, MOST_FIRST_BUCKETS)));
    this.#reach = this.#buckets;
    this.#first = new Int32Array(this.#buckets);
  }

  /** The slot of a key, or none. */
  find({ a, b, c, d }: Fingerprint): number {
    let slot = this.#bucket(this.#bucketOf(a));
    while (slot !== NONE) {
      const words = this.#slots.words(slot);
      const at = wordOf(slot);
      const key = at + WORD.key;
      if (words[key] === a && words[key + 1] === b && words[key + 2] === c && words[key + 3] === d) return slot;
      slot = words[at + WORD.next] as number;
    }
    return NONE;
  }

  /** Takes in a slot, under a key that it does not know. */
  add(slot: number, { a, b, c, d }: Fingerprint): void {
    const words = this.#slots.words(slot);
    const key = wordOf(slot) + WORD.key;
    words[key] = a;
    words[key + 1] = b;
    words[key + 2] = c;
    words[key + 3] = d;
    while (this.#buckets < this.#slots.count) this.#split();
    this.#put(slot, this.#bucketOf(a));
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const slots = this.#slots;
    const next = this.#next(slot);
    const bucket = this.#bucketOf(slots.words(slot)[wordOf(slot) + WORD.key] as number);
    let before = this.#bucket(bucket);
    if (before === slot) {
      this.#setBucket(bucket, next);
      return;
    }
    while (this.#next(before) !== slot) before = this.#next(before);
    slots.words(before)[wordOf(before) + WORD.next] = next;
  }

  /** Adds a bucket, and moves to it what belongs there now: some of what one other bucket holds. */
  #split(): void {
    if (this.#buckets === this.#reach) this.#reach *= 2;
    const source = this.#buckets - this.#reach / 2;
    let slot = this.#bucket(source);
    this.#setBucket(source, NONE);
    const added = this.#buckets - this.#first.length;
    if (added % CHUNK_BUCKETS === 0) this.#chunks.push(new Int32Array(CHUNK_BUCKETS));
    this.#buckets += 1;
    while (slot !== NONE) {
      const next = this.#next(slot);
      this.#put(slot, this.#bucketOf(this.#slots.words(slot)[wordOf(slot) + WORD.key] as number));
      slot = next;
    }
  }

  #put(slot: number, bucket: number): void {
    this.#slots.words(slot)[wordOf(slot) + WORD.next] = this.#bucket(bucket);
    this.#setBucket(bucket, slot);
  }

  /** The slot that a bucket refers to. */
  #bucket(number: number): number {
    const added = number - this.#first.length;
    return (added < 0 ? this.#first[number] : this.#chunks[added >> CHUNK_BITS]?.[added % CHUNK_BUCKETS]) as number;
  }

  /** Lets a bucket refer to a slot. */
  #setBucket(number: number, slot: number): void {
    const added = number - this.#first.length;
    if (added < 0) this.#first[number] = slot;
    else (this.#chunks[added >> CHUNK_BITS] as Int32Array)[added % CHUNK_BUCKETS] = slot;
  }

  #next(slot: number): number {
    return this.#slots.words(slot)[wordOf(slot) + WORD.next] as number;
  }

  /** The bucket of a key by its first 32 bits: the low bits say which, one bit less where that bucket is still to come. */
  #bucketOf(bits: number): number {
    const bucket = mixed(bits) & (this.#reach - 1);
    return bucket < this.#buckets ? bucket : bucket - this.#reach / 2;
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
