import { type Ending, ExpiryHeap } from "./expiry-heap.ts";
import { SlotQueue } from "./memory-queue.ts";
import { DOUBLE, NONE, type Slots, WORD } from "./memory-slots.ts";

/** The completions of one retention, and when the first of them ends. */
interface Term extends Ending {
  readonly retention: number;
  readonly queue: SlotQueue;
}

/**
 * Which completion ends first. Those of one retention end in the order in which they came, so a queue of them does, and
 * costs the same however many there are. A process has few retentions, commonly one: the heap of their queues is small.
 */
export class Endings {
  readonly #slots: Slots;
  readonly #terms = new Map<number, Term>();
  readonly #byEnd = new ExpiryHeap<Term>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** A slot that has ended by `nowMs`, or none. */
  ended(nowMs: number): number {
    const term = this.#byEnd.first();
    return term === undefined || term.endsAt > nowMs ? NONE : term.queue.first;
  }

  /** Takes in a slot. */
  add(slot: number, retention: number, endsAt: number): void {
    this.#slots.setDouble(slot, DOUBLE.retention, retention);
    this.#slots.setDouble(slot, DOUBLE.endsAt, endsAt);
    const term = this.#terms.get(retention) ?? this.#addTerm(retention, endsAt);
    term.queue.add(slot);
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const term = this.#terms.get(this.#slots.double(slot, DOUBLE.retention)) as Term;
    const wasFirst = term.queue.first === slot;
    term.queue.remove(slot);
    if (wasFirst) this.#firstLeft(term);
  }

  #addTerm(retention: number, endsAt: number): Term {
    const queue = new SlotQueue(this.#slots, WORD.sooner, WORD.later);
    const term: Term = { retention, queue, endsAt, place: 0 };
    this.#terms.set(retention, term);
    this.#byEnd.add(term);
    return term;
  }

  #firstLeft(term: Term): void {
    const first = term.queue.first;
    if (first === NONE) {
      this.#terms.delete(term.retention);
      this.#byEnd.remove(term);
    } else {
      term.endsAt = this.#slots.double(first, DOUBLE.endsAt);
      this.#byEnd.move(term);
    }
  }
}
