import { type Ending, ExpiryHeap } from "./expiry-heap.ts";

/** setTimeout takes no more; whatever is due later is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Everything that is due at one time, in the order in which it was asked for: a heap does not keep the order of equals. */
interface Appointments extends Ending {
  readonly runs: (() => void)[];
}

/**
 * The sandbox's clock. It runs `speed` times as fast as the wall, and can be put forward: what falls due in between happens in its
 * order, each thing at its own time. One real timer serves all appointments.
 */
export class Clock {
  readonly speed: number;
  readonly #appointments = new ExpiryHeap<Appointments>();
  readonly #byTime = new Map<number, Appointments>();
  #timer: NodeJS.Timeout | undefined;
  /** What the clock showed when it was last set, and when that was by the machine's monotonic time. */
  #setTo: number;
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

  /** Calls back once the clock shows `at`; never before this returns. */
  at(at: number, run: () => void): void {
    this.#appointmentsAt(at).runs.push(run);
    this.#arm();
  }

  /** When the next appointment is. */
  next(): number | undefined {
    return this.#appointments.first()?.endsAt;
  }

  /** Puts the clock forward to a time, unless it shows more already, and does what is due by then. */
  putForward(to: number): void {
    if (to > this.now()) this.#set(to);
    this.#doWhatIsDue();
  }

  /** Forgets all appointments. */
  stop(): void {
    clearTimeout(this.#timer);
    for (let first = this.#appointments.first(); first; first = this.#appointments.first()) this.#remove(first);
  }

  #appointmentsAt(at: number): Appointments {
    const known = this.#byTime.get(at);
    if (known !== undefined) return known;
    const fresh: Appointments = { endsAt: at, place: 0, runs: [] };
    this.#byTime.set(at, fresh);
    this.#appointments.add(fresh);
    return fresh;
  }

  #remove(appointments: Appointments): void {
    this.#appointments.remove(appointments);
    this.#byTime.delete(appointments.endsAt);
  }

  #set(to: number): void {
    this.#setTo = to;
    this.#setAt = performance.now();
  }

  #doWhatIsDue(): void {
    const now = this.now();
    for (let first = this.#appointments.first(); first && first.endsAt <= now; first = this.#appointments.first()) {
      this.#remove(first);
      for (const run of first.runs) run();
    }
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.next();
    if (next === undefined) return;
    const waitMs = Math.max(0, next - this.now());
    if (this.speed === 0 && waitMs > 0) return;
    // Rounded up, since a timer that fires early would only be set again.
    const realMs = waitMs === 0 ? 0 : Math.ceil(waitMs / this.speed);
    this.#timer = setTimeout(() => this.#doWhatIsDue(), Math.min(realMs, LONGEST_TIMER_MS));
  }
}
