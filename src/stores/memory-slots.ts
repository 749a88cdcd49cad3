/** The slot that is nobody's. Memory starts as zeros, so every reference in it is to none at first. */
export const NONE = 0;

/** Where in a slot the numbers of 64 bits stand, in pairs of words: the places of {@link Slots.double}. */
export const DOUBLE = {
  /** When the retention ends, in milliseconds on the store's clock. */
  endsAt: 0,
  /** How long the retention was, in milliseconds. */
  retention: 1,
} as const;

/** Where in a slot the integers of 32 bits stand, behind those: the places of {@link Slots.word}. */
export const WORD = {
  /** Four words: the fingerprint of the event's key. */
  key: 4,
  /** Two words: half the fingerprint of the token that completed it. */
  token: 8,
  /** The next slot in the same bucket; of a free slot, the next free one. */
  next: 10,
  /** The neighbours in the order of completion. */
  older: 11,
  newer: 12,
  /** The neighbours among those of the same retention. */
  sooner: 13,
  later: 14,
} as const;

/** 15 are used; doubles need an even number, and 64 bytes are a line of the processor's cache. */
const SLOT_WORDS = 16;
const SLOT_DOUBLES = SLOT_WORDS / 2;
/** 4096 slots a chunk, 272 KB: few enough chunks that the processor's cache holds the way to each. */
const CHUNK_BITS = 12;
const CHUNK_SLOTS = 1 << CHUNK_BITS;
const IN_CHUNK = CHUNK_SLOTS - 1;
/** The first chunk starts as small as 4 KB and doubles up to that size, so that a small store stays small. */
const FIRST_SLOTS = 64;

/**
 * Memory for completed events: numbered slots of 64 bytes, and as many numbered buckets that each refer to a slot. Objects in
 * a Map take four times as much, and a large Map stops the process for tens of milliseconds whenever it grows. This grows
 * by a chunk and moves none but the first while that is small. A slot that is given back is used again; the memory stays.
 */
export class Slots {
  readonly #doubles: Float64Array[] = [];
  readonly #words: Int32Array[] = [];
  // Apart from the slots: every key that comes asks for a bucket, and close together they stay in the processor's cache.
  readonly #buckets: Int32Array[] = [];
  #capacity = FIRST_SLOTS;
  #count = 1;
  #free = NONE;

  constructor() {
    this.#setChunk(0, FIRST_SLOTS);
  }

  /** How many slots there are, used and free, with the one that is nobody's; and so how many buckets. */
  get count(): number {
    return this.#count;
  }

  /** A slot for one event. Unless it is new, it still holds what the last event left. */
  take(): number {
    const free = this.#free;
    if (free === NONE) return this.#grow();
    this.#free = this.word(free, WORD.next);
    return free;
  }

  /** Gives a slot back. */
  give(slot: number): void {
    this.setWord(slot, WORD.next, this.#free);
    this.#free = slot;
  }

  /** What stands at one of the places of {@link DOUBLE}. */
  double(slot: number, place: number): number {
    return chunkOf(this.#doubles, slot)[(slot & IN_CHUNK) * SLOT_DOUBLES + place] as number;
  }

  /** Writes at one of the places of {@link DOUBLE}. */
  setDouble(slot: number, place: number, value: number): void {
    chunkOf(this.#doubles, slot)[(slot & IN_CHUNK) * SLOT_DOUBLES + place] = value;
  }

  /** What stands at one of the places of {@link WORD}. */
  word(slot: number, place: number): number {
    return chunkOf(this.#words, slot)[(slot & IN_CHUNK) * SLOT_WORDS + place] as number;
  }

  /** Writes at one of the places of {@link WORD}. */
  setWord(slot: number, place: number, value: number): void {
    chunkOf(this.#words, slot)[(slot & IN_CHUNK) * SLOT_WORDS + place] = value;
  }

  /** The slot that a bucket refers to. */
  bucket(number: number): number {
    return chunkOf(this.#buckets, number)[number & IN_CHUNK] as number;
  }

  /** Lets a bucket refer to a slot. */
  setBucket(number: number, slot: number): void {
    chunkOf(this.#buckets, number)[number & IN_CHUNK] = slot;
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
    else this.#setChunk(this.#doubles.length, slots);
    this.#capacity += slots;
  }

  /** Makes a chunk anew, with what the chunk of that number held before. */
  #setChunk(chunk: number, slots: number): void {
    const words = new Int32Array(slots * SLOT_WORDS);
    const buckets = new Int32Array(slots);
    words.set(this.#words[chunk] ?? []);
    buckets.set(this.#buckets[chunk] ?? []);
    this.#words[chunk] = words;
    this.#doubles[chunk] = new Float64Array(words.buffer);
    this.#buckets[chunk] = buckets;
  }
}

function chunkOf<Chunk>(chunks: readonly Chunk[], number: number): Chunk {
  return chunks[number >>> CHUNK_BITS] as Chunk;
}
