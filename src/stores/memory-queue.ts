import { NONE, type Slots, wordOf } from "./memory-slots.ts";

/** Slots in the order in which they came. Any of them may leave; the links between them stand in two words of each. */
export class SlotQueue {
  readonly #slots: Slots;
  readonly #before: number;
  readonly #after: number;
  #first = NONE;
  #last = NONE;

  /**
   * @param before which word holds the neighbour that came before
   * @param after which word holds the neighbour that came after
   */
  constructor(slots: Slots, before: number, after: number) {
    this.#slots = slots;
    this.#before = before;
    this.#after = after;
  }

  /** The one that came before all others, or none. */
  get first(): number {
    return this.#first;
  }

  /** Takes in a slot, as the last. */
  add(slot: number): void {
    const words = this.#slots.words(slot);
    const at = wordOf(slot);
    words[at + this.#before] = this.#last;
    words[at + this.#after] = NONE;
    this.#link(this.#last, slot);
    this.#last = slot;
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const words = this.#slots.words(slot);
    const before = words[wordOf(slot) + this.#before] as number;
    const after = words[wordOf(slot) + this.#after] as number;
    this.#link(before, after);
    if (after === NONE) this.#last = before;
    else this.#slots.words(after)[wordOf(after) + this.#before] = before;
  }

  /** Says what comes after a slot, or what comes first. */
  #link(before: number, after: number): void {
    if (before === NONE) this.#first = after;
    else this.#slots.words(before)[wordOf(before) + this.#after] = after;
  }
}
