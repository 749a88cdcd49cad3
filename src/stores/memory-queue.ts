import { NONE, type Slots } from "./memory-slots.ts";

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
    this.#slots.setWord(slot, this.#before, this.#last);
    this.#slots.setWord(slot, this.#after, NONE);
    if (this.#last === NONE) this.#first = slot;
    else this.#slots.setWord(this.#last, this.#after, slot);
    this.#last = slot;
  }

  /** Lets go of a slot that it holds. */
  remove(slot: number): void {
    const before = this.#slots.word(slot, this.#before);
    const after = this.#slots.word(slot, this.#after);
    if (before === NONE) this.#first = after;
    else this.#slots.setWord(before, this.#after, after);
    if (after === NONE) this.#last = before;
    else this.#slots.setWord(after, this.#before, before);
  }
}
