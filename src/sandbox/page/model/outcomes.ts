import type { DeliverySummary } from "../../page-api.ts";
import { OUTCOMES, type Outcome, outcomeOf } from "./words.ts";

/** The deliveries created in one span of time, by outcome. */
export interface Column {
  readonly start: number;
  readonly counts: Readonly<Record<Outcome, number>>;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Each is a multiple of the one before, so that columns can be joined. */
const WIDTHS = [SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY];
const MOST_COLUMNS = 60;
const FEWEST_COLUMNS = 30;

/** Deliveries counted by outcome and time. Adding and removing one costs the same however many there are. */
export class Outcomes {
  #widthMs = SECOND;
  #columns = new Map<number, Record<Outcome, number>>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** The span of time of a column. */
  get widthMs(): number {
    return this.#widthMs;
  }

  add(delivery: DeliverySummary): void {
    this.#first = Math.min(this.#first, delivery.createdAt);
    this.#last = Math.max(this.#last, delivery.createdAt);
    while (this.#last - this.#first > (MOST_COLUMNS - 1) * this.#widthMs) this.#widen();
    this.#count(delivery, 1);
  }

  remove(delivery: DeliverySummary): void {
    this.#count(delivery, -1);
  }

  clear(): void {
    this.#widthMs = SECOND;
    this.#columns.clear();
    this.#first = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
  }

  /** Oldest first, with the empty ones between, and enough leading ones that a single delivery does not fill the chart. */
  columns(): Column[] {
    const present = [...this.#columns.keys()];
    if (present.length === 0) return [];
    const last = Math.max(...present);
    const first = Math.min(last - FEWEST_COLUMNS + 1, ...present);
    return Array.from({ length: last - first + 1 }, (_, at) => ({
      start: (first + at) * this.#widthMs,
      counts: this.#columns.get(first + at) ?? none(),
    }));
  }

  #count(delivery: DeliverySummary, by: 1 | -1): void {
    const index = Math.floor(delivery.createdAt / this.#widthMs);
    const counts = this.#columns.get(index) ?? none();
    counts[outcomeOf(delivery)] += by;
    if (OUTCOMES.some((outcome) => counts[outcome] > 0)) this.#columns.set(index, counts);
    else this.#columns.delete(index);
  }

  #widen(): void {
    const wider = WIDTHS.find((width) => width > this.#widthMs) ?? this.#widthMs * 10;
    const joined = new Map<number, Record<Outcome, number>>();
    for (const [index, counts] of this.#columns) {
      const at = Math.floor((index * this.#widthMs) / wider);
      const sum = joined.get(at) ?? none();
      for (const outcome of OUTCOMES) sum[outcome] += counts[outcome];
      joined.set(at, sum);
    }
    this.#columns = joined;
    this.#widthMs = wider;
  }
}

function none(): Record<Outcome, number> {
  return { delivered: 0, unhandled: 0, closed: 0, retrying: 0, parked: 0, fooled: 0, open: 0 };
}
