import { type Ending, ExpiryHeap } from "./expiry-heap.ts";
import type { Fingerprint } from "./fingerprint.ts";

/** An event that somebody works on. */
export interface MemoryClaim extends Ending {
  readonly key: string;
  /** The key's fingerprint, kept for the completion. */
  readonly fingerprint: Fingerprint;
  /** Who claimed it. */
  readonly token: string;
}

/** The claims of a memory store, found by key and by which ends first. There are as many as handlers at work, so few. */
export class Claims {
  readonly #byKey = new Map<string, MemoryClaim>();
  readonly #byEnd = new ExpiryHeap<MemoryClaim>();

  /** How many there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The claim on an event, unless it has ended by `nowMs`. */
  find(key: string, nowMs: number): MemoryClaim | undefined {
    const claim = this.#byKey.get(key);
    if (claim === undefined || claim.endsAt > nowMs) return claim;
    this.drop(claim);
    return undefined;
  }

  /** Adds a claim on an event that has none. */
  add(key: string, fingerprint: Fingerprint, token: string, endsAt: number): void {
    const claim = { key, fingerprint, token, endsAt, place: 0 };
    this.#byKey.set(key, claim);
    this.#byEnd.add(claim);
  }

  /** Lets a claim end later, or sooner. */
  extend(claim: MemoryClaim, endsAt: number): void {
    claim.endsAt = endsAt;
    this.#byEnd.move(claim);
  }

  /** Drops a claim. */
  drop(claim: MemoryClaim): void {
    this.#byKey.delete(claim.key);
    this.#byEnd.remove(claim);
  }

  /** Drops up to `atMost` that have ended by `nowMs`. */
  sweep(nowMs: number, atMost: number): void {
    for (let left = atMost; left > 0; left -= 1) {
      const first = this.#byEnd.first();
      if (first === undefined || first.endsAt > nowMs) return;
      this.drop(first);
    }
  }
}
