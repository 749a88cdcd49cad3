import type { Fingerprint, HalfFingerprint } from "./fingerprint.ts";
import { Endings } from "./memory-endings.ts";
import { SlotIndex } from "./memory-index.ts";
import { SlotQueue } from "./memory-queue.ts";
import { DOUBLE, doubleOf, NONE, Slots, WORD, wordOf } from "./memory-slots.ts";

/** What stands in place of a claim's number where there is none. */
const COMPLETED = 0;

/** A claim, by which it is found again without its key and token. */
export interface Grant {
  readonly status: "claimed";
  readonly slot: number;
  /** The claim's number, since another event may have come into the slot. */
  readonly number: number;
}

/** Of the claim that was added last, to whichever records: a store that was closed begins anew, and claims of before may be left. */
let lastNumber = 0;

/**
 * The events that a memory store knows, those that somebody works on and those that are done: found by key, by which ends first,
 * and the completed ones by which was completed first. There may be millions, so it keeps numbers only: the fingerprints of key
 * and token, not their text. An event goes by the number of its slot.
 */
export class Records {
  readonly #slots = new Slots();
  readonly #byKey: SlotIndex;
  readonly #byEnd = new Endings(this.#slots);
  readonly #byAge = new SlotQueue(this.#slots, WORD.older, WORD.newer);
  #claims = 0;
  #completions = 0;

  /** @param expected how many events there may come to be */
  constructor(expected: number) {
    this.#byKey = new SlotIndex(this.#slots, expected);
  }

  /** How many events somebody works on. */
  get claims(): number {
    return this.#claims;
  }

  /** How many are done. */
  get completions(): number {
    return this.#completions;
  }

  /** The slot of an event, unless its claim or completion has ended by `nowMs`; 0 where there is none. */
  find(key: Fingerprint, nowMs: number): number {
    const slot = this.#byKey.find(key);
    if (slot === NONE || this.endsAt(slot) > nowMs) return slot;
    this.drop(slot);
    return NONE;
  }

  /** Whether an event is being worked on, not done. */
  isClaimed(slot: number): boolean {
    return this.#slots.words(slot)[wordOf(slot) + WORD.claim] !== COMPLETED;
  }

  /**
   * Whether a token claimed or completed it. Half a fingerprint is enough: it is compared for one event only, and two tokens of
   * one event agree in it once in 2^52 times at the most.
   */
  isBy(slot: number, token: HalfFingerprint): boolean {
    const words = this.#slots.words(slot);
    const at = wordOf(slot) + WORD.token;
    return words[at] === token.a && words[at + 1] === token.b;
  }

  /** When a claim or a completion ends. */
  endsAt(slot: number): number {
    return this.#slots.doubles(slot)[doubleOf(slot) + DOUBLE.endsAt] as number;
  }

  /** Adds the claim of an event that is not known. */
  claim(key: Fingerprint, token: HalfFingerprint, nowMs: number, leaseMs: number): Grant {
    // Counts on through all numbers of 32 bits but the one that stands for none.
    lastNumber = (lastNumber + 1) | 0 || 1;
    const slot = this.#add(key, token, lastNumber);
    this.#byEnd.add(slot, leaseMs, nowMs + leaseMs);
    this.#claims += 1;
    return { status: "claimed", slot, number: lastNumber };
  }

  /** Whether a claim still stands, or lapsed and was taken by nobody. */
  stands({ slot, number }: Grant): boolean {
    return slot < this.#slots.count && this.#slots.words(slot)[wordOf(slot) + WORD.claim] === number;
  }

  /** Lets a claim end later, or sooner. */
  extend(slot: number, nowMs: number, leaseMs: number): void {
    this.#byEnd.remove(slot);
    this.#byEnd.add(slot, leaseMs, nowMs + leaseMs);
  }

  /** Makes the newest completion of a claim. */
  complete(slot: number, nowMs: number, retentionMs: number): void {
    this.#slots.words(slot)[wordOf(slot) + WORD.claim] = COMPLETED;
    this.#claims -= 1;
    this.#byEnd.remove(slot);
    this.#remember(slot, nowMs, retentionMs);
  }

  /** Adds the completion of an event that is not known. */
  addCompleted(key: Fingerprint, token: HalfFingerprint, nowMs: number, retentionMs: number): void {
    this.#remember(this.#add(key, token, COMPLETED), nowMs, retentionMs);
  }

  /** Drops an event. */
  drop(slot: number): void {
    if (this.isClaimed(slot)) {
      this.#slots.words(slot)[wordOf(slot) + WORD.claim] = COMPLETED;
      this.#claims -= 1;
    } else {
      this.#completions -= 1;
      this.#byAge.remove(slot);
    }
    this.#byEnd.remove(slot);
    this.#byKey.remove(slot);
    this.#slots.give(slot);
  }

  /** Drops the completion that is the oldest. There must be one. */
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

  #add(key: Fingerprint, token: HalfFingerprint, claim: number): number {
    const slot = this.#slots.take();
    const words = this.#slots.words(slot);
    const at = wordOf(slot);
    words[at + WORD.claim] = claim;
    words[at + WORD.token] = token.a;
    words[at + WORD.token + 1] = token.b;
    this.#byKey.add(slot, key);
    return slot;
  }

  #remember(slot: number, nowMs: number, retentionMs: number): void {
    this.#completions += 1;
    this.#byAge.add(slot);
    this.#byEnd.add(slot, retentionMs, nowMs + retentionMs);
  }
}
