import { withTimeout } from "../../async.ts";
import { WebhookError } from "../../errors.ts";
import type { SqliteAccess } from "../../stores/sqlite/access.ts";
import type { InboxWorker, ProcessMessage, WorkOptions } from "../inbox.ts";
import { Signal } from "../signal.ts";
import { workSettings } from "../work-settings.ts";
import type { JustParked, Runs, TakenEvent } from "./runs.ts";

/** What a worker works on. */
export interface Workplace {
  readonly access: SqliteAccess;
  readonly runs: Runs;
  /** How many attempts an event has. */
  readonly attempts: number;
  /** How long an event stays with a worker that gives no sign of life, in milliseconds. Renewed at a third of it. */
  readonly lockMs: number;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/** One run of an event. */
interface Run {
  readonly event: TakenEvent;
  /** When it was locked for the last time: epoch milliseconds, and a clock that is never set. */
  lockedAt: { readonly epoch: number; readonly steady: number };
  /** What it threw. */
  failure?: { readonly thrown: unknown };
}

/** What a round changed in the database. */
interface Changes {
  readonly at: number;
  readonly taken: readonly TakenEvent[];
  readonly renewed: readonly Run[];
  readonly parked: readonly JustParked[];
  readonly nextDue: number | undefined;
}

/** The longest pause after errors of the database, in milliseconds. */
const MAX_PAUSE_MS = 5_000;
/** The longest wait, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/**
 * Runs events. One loop does all that concerns the database, in one transaction a round: it writes results, renews locks, and takes
 * events. In between it waits until an event is added, a run ends, a retry is due, or `pollMs` have passed.
 */
export class SqliteWorker implements InboxWorker {
  /** Wakes the loop. */
  readonly signal: Signal = new Signal();
  readonly #place: Workplace;
  readonly #process: ProcessMessage;
  readonly #options: Required<WorkOptions>;
  readonly #running = new Set<Run>();
  /** Runs that have ended. They keep their place until their results are written. */
  readonly #results: Run[] = [];
  readonly #ended: Promise<void>;
  #failures = 0;
  #closing = false;
  #givingBack = false;

  constructor(place: Workplace, process: ProcessMessage, options: WorkOptions) {
    this.#place = place;
    this.#process = process;
    this.#options = workSettings("sqliteInbox.work", options);
    this.#ended = this.#loop();
  }

  async close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing = true;
    this.signal.notify();
    const timer = setTimeout(() => {
      this.#givingBack = true;
      this.signal.notify();
    }, timeoutMs);
    await this.#ended;
    clearTimeout(timer);
  }

  async #loop(): Promise<void> {
    // Errors of the first round are reported after `work` has returned.
    await Promise.resolve();
    while (!this.#isDone()) {
      try {
        const pauseMs = await this.#round();
        this.#failures = 0;
        if (!this.#isDone()) await this.signal.wait(pauseMs);
      } catch (error) {
        this.#options.onError(error);
        // Events that could not be given back are taken again when their locks expire.
        if (this.#givingBack) return;
        await this.#pause();
      }
    }
  }

  #isDone(): boolean {
    return this.#closing && this.#running.size === 0 && this.#results.length === 0;
  }

  /** After an error. Only the end of the time to close cuts it short. */
  async #pause(): Promise<void> {
    this.#failures += 1;
    const until = performance.now() + Math.min(MAX_PAUSE_MS, 50 * 2 ** this.#failures);
    while (!this.#givingBack && performance.now() < until) await this.signal.wait(until - performance.now());
  }

  /** Does what there is to do. @returns how long to wait then, in milliseconds */
  async #round(): Promise<number> {
    const { access, runs } = this.#place;
    if (!this.#mustWrite()) {
      if (this.#free() <= 0) return this.#waitMs(undefined);
      const found = await access.read(() => runs.look(this.#now(), this.#mayTakeCrashed()));
      if (!found.isReady) return this.#waitMs(found.nextDue);
    }
    const results = [...this.#results];
    const changes = await access.write("holder", () => this.#write(results));
    this.#results.splice(0, results.length);
    this.#committed(changes);
    return this.#waitMs(changes.nextDue);
  }

  #mustWrite(): boolean {
    if (this.#results.length > 0) return true;
    return this.#running.size > 0 && (this.#givingBack || this.#toRenew(this.#now()).length > 0);
  }

  /** All that a round changes, inside its transaction. Nothing is remembered here, since the commit may fail. */
  #write(results: readonly Run[]): Changes {
    const { runs } = this.#place;
    const at = this.#now();
    const parked = results.flatMap(({ event, failure }) => {
      if (failure) return runs.fail(event, failure.thrown, at) ?? [];
      runs.finish(event, at);
      return [];
    });
    if (this.#givingBack) {
      for (const { event } of this.#running) runs.giveBack(event);
      return { at, parked, taken: [], renewed: [], nextDue: undefined };
    }
    // Before the others' locks are judged: after a step of the clock its own may seem to have expired.
    const renewed = this.#toRenew(at);
    for (const { event } of renewed) runs.renew(event, at);
    parked.push(...runs.reclaim(at));
    const free = this.#free() + results.length;
    const taken = this.#closing ? [] : runs.take(free, this.#mayTakeCrashed(), at);
    return { at, parked, taken, renewed, nextDue: runs.nextDue() };
  }

  #committed({ at, taken, renewed, parked }: Changes): void {
    if (this.#givingBack) this.#running.clear();
    const lockedAt = { epoch: at, steady: performance.now() };
    for (const run of renewed) run.lockedAt = lockedAt;
    for (const { event, error } of parked) {
      const { key, type, attempts } = event;
      this.#options.onParked({ key, type, attempts, error });
    }
    for (const event of taken) void this.#run({ event, lockedAt });
  }

  async #run(run: Run): Promise<void> {
    this.#running.add(run);
    try {
      await withTimeout(this.#handle(run.event), this.#options.maxProcessingMs + this.#place.lockMs);
    } catch (thrown) {
      run.failure = { thrown };
    }
    // It may have been given back.
    if (!this.#running.delete(run)) return;
    this.#results.push(run);
    this.signal.notify();
  }

  async #handle({ message, attempts }: TakenEvent): Promise<void> {
    await this.#process(parse(message), { number: attempts, of: this.#place.attempts });
  }

  /** How many more events may be taken. */
  #free(): number {
    return this.#closing ? 0 : this.#options.concurrency - this.#running.size - this.#results.length;
  }

  /** An event whose worker died runs beside no other such event: it may have been the cause. */
  #mayTakeCrashed(): boolean {
    return [...this.#running].every(({ event }) => event.state !== "crashed");
  }

  #toRenew(at: number): Run[] {
    const steady = performance.now();
    return [...this.#running].filter(
      ({ lockedAt }) =>
        at - lockedAt.epoch >= this.#place.lockMs / 3 || steady - lockedAt.steady >= this.#place.lockMs / 3,
    );
  }

  /** @param nextDue when an event in the database is due */
  #waitMs(nextDue: number | undefined): number {
    const steady = performance.now();
    const renewals = [...this.#running].map(({ lockedAt }) => lockedAt.steady + this.#place.lockMs / 3 - steady);
    const polls = this.#free() > 0 ? [this.#options.pollMs, (nextDue ?? Number.POSITIVE_INFINITY) - this.#now()] : [];
    return Math.max(0, Math.min(MAX_WAIT_MS, ...renewals, ...polls));
  }

  #now(): number {
    return this.#place.now();
  }
}

function parse(message: unknown): unknown {
  try {
    return JSON.parse(message as string);
  } catch {
    // Without the cause: its text shows a part of the message.
    throw new WebhookError("inbox_message_invalid", "a message of the inbox is no JSON");
  }
}
