/** The slot that is nobody's. Memory starts as zeros, so every reference in it is to none at first. */
export const NONE = 0;

/** Where in a slot the numbers of 64 bits stand, in pairs of words: counted from {@link doubleOf}. */
export const DOUBLE = {
  /** When the lease or the retention ends, in milliseconds on the store's clock. */
  endsAt: 0,
  /** How long it was, in milliseconds. */
  length: 1,
} as const;

/** Where in a slot the integers of 32 bits stand, behind those, counted from {@link wordOf}. */
export const WORD = {
  /** Four words: the fingerprint of the event's key. */
  key: 4,
  /** Two words: half the fingerprint of the token that claimed or completed it. */
  token: 8,
  /** The next slot in the same bucket; of a free slot, the next free one. */
  next: 10,
  /** The neighbours in the order of completion, of one that is completed. */
  older: 11,
  newer: 12,
  /** The neighbours among those that stand for as long. */
  sooner: 13,
  later: 14,
  /** The number of the claim; 0 of one that is completed, or free. */
  claim: 15,
} as const;

/** All are used, and 64 bytes are a line of the processor's cache. */
const SLOT_WORDS = 16;
const SLOT_DOUBLES = SLOT_WORDS / 2;
/** 4096 slots a chunk, 256 KB: few enough chunks that the processor's cache holds the way to each. */
const CHUNK_BITS = 12;
const CHUNK_SLOTS = 1 << CHUNK_BITS;
const IN_CHUNK = CHUNK_SLOTS - 1;
/** The first chunk starts as small as 4 KB and doubles up to that size, so that a small store stays small. */
const FIRST_SLOTS = 64;

/**
 * Memory for events: numbered slots of 64 bytes. Objects in a Map take four times as much, and a large Map stops the process
 * for tens of milliseconds whenever it grows. This grows by a chunk and moves none but the first while that is small. A slot that
 * is given back is used again; the memory stays.
 */
export class Slots {
  readonly #doubles: Float64Array[] = [];
  readonly #words: Int32Array[] = [];
  #capacity = FIRST_SLOTS;
  #count = 1;
  #free = NONE;

  constructor() {
    this.#setChunk(0, FIRST_SLOTS);
  }

  /** How many slots there are, used and free, with the one that is nobody's. */
  get count(): number {
    return this.#count;
  }

  /** A slot for one event. Unless it is new, it still holds what the last event left. */
  take(): number {
    const free = this.#free;
    if (free === NONE) return this.#grow();
    this.#free = this.words(free)[wordOf(free) + WORD.next] as number;
    return free;
  }

  /** Gives a slot back. */
  give(slot: number): void {
    this.words(slot)[wordOf(slot) + WORD.next] = this.#free;
    this.#free = slot;
  }

  /** The memory in which the words of a slot stand, from {@link wordOf} on: whoever needs several looks it up once. */
  words(slot: number): Int32Array {
    return this.#words[slot >>> CHUNK_BITS] as Int32Array;
  }

  /** The memory in which the doubles of a slot stand, from {@link doubleOf} on. */
  doubles(slot: number): Float64Array {
    return this.#doubles[slot >>> CHUNK_BITS] as Float64Array;
  }

  #grow(): number {
    const slot = this.#count;
    if (slot === this.#capacity) this.#addRoom();
    this.#count += 1;
    return slot;
  }

  #addRoom(): void {
    const slots = Math.min(this.#capacity, CHUNK_SLOTS);
    if (this.#capacity < CHUNK_SLOTS) this.#setChunk(0, 2 * slots);
    else this.#setChunk(this.#words.length, slots);
    this.#capacity += slots;
  }

  /** Makes a chunk anew, with what the chunk of that number held before. */
  #setChunk(chunk: number, slots: number): void {
    const words = new Int32Array(slots * SLOT_WORDS);
    words.set(this.#words[chunk] ?? []);
    this.#words[chunk] = words;
    this.#doubles[chunk] = new Float64Array(words.buffer);
  }
}

/** Where in its memory the words of a slot begin. */
export function wordOf(slot: number): number {
  return (slot & IN_CHUNK) * SLOT_WORDS;
}

/** Where in its memory the doubles of a slot begin. */
export function doubleOf(slot: number): number {
  return (slot & IN_CHUNK) * SLOT_DOUBLES;
}
