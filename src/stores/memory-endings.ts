import { type Ending, ExpiryHeap } from "./expiry-heap.ts";
import { SlotQueue } from "./memory-queue.ts";
import { DOUBLE, doubleOf, NONE, type Slots, WORD } from "./memory-slots.ts";

/** The slots that stand for as long as one another, and when the first of them ends. */
interface Term extends Ending {
  readonly lengthMs: number;
  readonly queue: SlotQueue;
}

/** Terms that have run empty are kept, since most come again and again; leases cut short by a process's end do not. */
const KEPT_TERMS = 8;

/**
 * Which slot ends first. Those that stand for as long as one another end in the order in which they came, so a queue of them
 * does, and costs the same however many there are. A process has few leases and retentions, commonly one of each: the heap of
 * their queues is small.
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
  add(slot: number, lengthMs: number, endsAt: number): void {
    const doubles = this.#slots.doubles(slot);
    const at = doubleOf(slot);
    doubles[at + DOUBLE.length] = lengthMs;
    doubles[at + DOUBLE.endsAt] = endsAt;
    const term = this.#terms.get(lengthMs) ?? this.#addTerm(lengthMs);
    term.queue.add(slot);
    if (term.queue.first === slot) this.#endsAt(term, endsAt);
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const lengthMs = this.#slots.doubles(slot)[doubleOf(slot) + DOUBLE.length] as number;
    const term = this.#terms.get(lengthMs) as Term;
    const wasFirst = term.queue.first === slot;
    term.queue.remove(slot);
    if (!wasFirst) return;
    const { first } = term.queue;
    if (first === NONE) this.#ranEmpty(term);
    else this.#endsAt(term, this.#slots.doubles(first)[doubleOf(first) + DOUBLE.endsAt] as number);
  }

  #addTerm(lengthMs: number): Term {
    const queue = new SlotQueue(this.#slots, WORD.sooner, WORD.later);
    const term: Term = { lengthMs, queue, endsAt: Number.POSITIVE_INFINITY, place: 0 };
    this.#terms.set(lengthMs, term);
    this.#byEnd.add(term);
    return term;
  }

  #ranEmpty(term: Term): void {
    if (this.#terms.size <= KEPT_TERMS) {
      this.#endsAt(term, Number.POSITIVE_INFINITY);
    } else {
      this.#terms.delete(term.lengthMs);
      this.#byEnd.remove(term);
    }
  }

  #endsAt(term: Term, endsAt: number): void {
    term.endsAt = endsAt;
    this.#byEnd.move(term);
  }
}
