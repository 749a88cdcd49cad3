/** setTimeout takes no more. A later appointment is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Appointment {
  /** In epoch milliseconds. */
  readonly at: number;
  readonly run: () => void;
}

/**
 * The sandbox's clock. It runs `speed` times as fast as the wall clock and can be put forward: appointments in between then run in
 * their order. One real timer serves all of them.
 */
export class Clock {
  readonly speed: number;
  /** The earliest first; those of the same time in the order in which they were made. */
  readonly #appointments: Appointment[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** What the clock showed when it was last set. */
  #setTo: number;
  /** When that was, by the machine's monotonic time. */
  #setAt: number = performance.now();

  /**
   * @param startMs what it shows at first, in epoch milliseconds
   * @param speed 0 for a clock that stands still until it is put forward
   */
  constructor(startMs: number, speed: number) {
    this.#setTo = startMs;
    this.speed = speed;
  }

  /** What it shows: epoch milliseconds, whole. */
  now(): number {
    return Math.floor(this.#setTo + (performance.now() - this.#setAt) * this.speed);
  }

  /** Calls back when the clock shows `at`; never before this returns. */
  at(at: number, run: () => void): void {
    this.#appointments.splice(this.#placeAfter(at), 0, { at, run });
    this.#arm();
  }

  /** When the next appointment is. */
  next(): number | undefined {
    return this.#appointments[0]?.at;
  }

  /** Puts the clock forward to a time, unless it is past it already, and runs what is due. */
  putForward(to: number): void {
    if (to > this.now()) {
      this.#setTo = to;
      this.#setAt = performance.now();
    }
    this.#runDue();
  }

  /** Cancels all appointments. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#appointments.length = 0;
  }

  /** The place behind everything that is due at `at` or before, by binary search. */
  #placeAfter(at: number): number {
    let [low, high] = [0, this.#appointments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#appointments[middle] as Appointment).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #runDue(): void {
    const now = this.now();
    for (let next = this.next(); next !== undefined && next <= now; next = this.next())
      this.#appointments.shift()?.run();
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.next();
    if (next === undefined) return;
    const waitMs = Math.max(0, next - this.now());
    if (this.speed === 0 && waitMs > 0) return;
    // Rounded up: a timer that fires early would only be set again.
    const realMs = waitMs === 0 ? 0 : Math.ceil(waitMs / this.speed);
    this.#timer = setTimeout(() => this.#runDue(), Math.min(realMs, LONGEST_TIMER_MS));
  }
}
