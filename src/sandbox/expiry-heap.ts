/** Something that ends at a known time, and remembers its place in the heap. */
export interface Ending {
  /** When it ends, in milliseconds on the clock of whoever keeps it. Tell the heap after a change. */
  endsAt: number;
  /** Where it stands in the heap; the heap's own note. */
  place: number;
}

/**
 * A binary heap: what ends first is at hand at once, whatever the order of arrival; adding, moving and removing take steps in
 * the logarithm of the number held. Insertion order would not do: two receivers may share a store and differ in their terms.
 */
export class ExpiryHeap<Item extends Ending> {
  readonly #items: Item[] = [];

  /** What ends first. */
  first(): Item | undefined {
    return this.#items[0];
  }

  /** Takes an item in. */
  add(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  /** Puts an item right whose `endsAt` has changed. */
  move(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  /** Lets go of an item that it holds. */
  remove(item: Item): void {
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#put(last, item.place);
    this.move(last);
  }

  #rise(item: Item): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1] as Item;
      if (parent.endsAt <= item.endsAt) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: Item): void {
    for (let child = this.#firstChild(item); child !== undefined; child = this.#firstChild(item)) {
      if (item.endsAt <= child.endsAt) return;
      this.#swap(item, child);
    }
  }

  /** Of the two below an item, the one that ends first. */
  #firstChild(item: Item): Item | undefined {
    const left = this.#items[2 * item.place + 1];
    const right = this.#items[2 * item.place + 2];
    return left !== undefined && right !== undefined && right.endsAt < left.endsAt ? right : left;
  }

  #swap(upper: Item, lower: Item): void {
    const place = upper.place;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
