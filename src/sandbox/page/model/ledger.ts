import type { DeliverySummary } from "../../page-api.ts";
import { Outcomes } from "./outcomes.ts";
import { LOOKS, type Look, lookOf } from "./words.ts";

/** A delivery and its place in the order of arrival. */
export interface Entry {
  readonly place: number;
  delivery: DeliverySummary;
}

/** The filter of the list. */
export interface Filter {
  /** null for every look. */
  readonly look: Look | null;
  /** null for every endpoint. */
  readonly endpointId: string | null;
  /** Part of the type, of the event's or the resource's id, or of the amount, in any case. */
  readonly text: string;
}

/** The filter that matches every delivery. */
export const EVERYTHING: Filter = { look: null, endpointId: null, text: "" };

/** All deliveries that the sandbox remembers. A change costs a binary search, never a walk over all of them. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly outcomes = new Outcomes();
  readonly counts: Record<Look, number> = noneOfAny();
  #filter = EVERYTHING;
  #places = 0;
  /** The deliveries that match the filter, oldest first. */
  shown: Entry[] = [];

  get size(): number {
    return this.#entries.size;
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Replaces all deliveries with these, oldest first. */
  replace(deliveries: readonly DeliverySummary[]): void {
    this.#entries.clear();
    this.outcomes.clear();
    Object.assign(this.counts, noneOfAny());
    this.shown = [];
    for (const delivery of deliveries) this.put(delivery);
  }

  /** Adds or updates a delivery. */
  put(delivery: DeliverySummary): void {
    const entry = this.#entries.get(delivery.id);
    if (entry === undefined) this.#append(delivery);
    else this.#update(entry, delivery);
    this.#count(delivery, 1);
    this.outcomes.add(delivery);
  }

  drop(ids: readonly string[]): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      this.#entries.delete(id);
      this.#uncount(entry);
      this.#hide(this.indexOf(entry));
    }
  }

  filter(filter: Filter): void {
    this.#filter = { ...filter, text: filter.text.trim().toLowerCase() };
    this.shown = [...this.#entries.values()].filter(({ delivery }) => this.#lets(delivery));
  }

  /** The index of an entry among those shown, oldest first; -1 if it is not shown. */
  indexOf(entry: Entry): number {
    const index = this.#seek(entry.place);
    return this.shown[index] === entry ? index : -1;
  }

  #append(delivery: DeliverySummary): void {
    const entry = { place: this.#places++, delivery };
    this.#entries.set(delivery.id, entry);
    if (this.#lets(delivery)) this.shown.push(entry);
  }

  #update(entry: Entry, delivery: DeliverySummary): void {
    this.#uncount(entry);
    const index = this.#seek(entry.place);
    const was = this.shown[index] === entry;
    entry.delivery = delivery;
    const is = this.#lets(delivery);
    if (was && !is) this.shown.splice(index, 1);
    if (is && !was) this.shown.splice(index, 0, entry);
  }

  /** Mostly the oldest is dropped, and `shift` is cheap. */
  #hide(index: number): void {
    if (index === 0) this.shown.shift();
    else if (index > 0) this.shown.splice(index, 1);
  }

  #uncount({ delivery }: Entry): void {
    this.#count(delivery, -1);
    this.outcomes.remove(delivery);
  }

  #count(delivery: DeliverySummary, by: 1 | -1): void {
    this.counts[lookOf(delivery)] += by;
  }

  #lets(delivery: DeliverySummary): boolean {
    const { endpointId, type, eventId, resourceId = "", amount = "" } = delivery;
    const { text, ...filter } = this.#filter;
    if (filter.look !== null && filter.look !== lookOf(delivery)) return false;
    if (filter.endpointId !== null && filter.endpointId !== endpointId) return false;
    return text === "" || [type, eventId, resourceId, amount].some((each) => each.toLowerCase().includes(text));
  }

  /** The index of the first entry shown at this place or after it. */
  #seek(place: number): number {
    let low = 0;
    let high = this.shown.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.shown[middle] as Entry).place < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function noneOfAny(): Record<Look, number> {
  return Object.fromEntries(LOOKS.map((look) => [look, 0])) as Record<Look, number>;
}
