import { pause } from "../deadline.ts";
import { WebhookError } from "../errors.ts";
import { isBusy } from "./sqlite-database.ts";

const LONGEST_PAUSE_MS = 32;

/**
 * The verbs of one store that wait for the database to be free: without blocking the event loop, in the order in which they came, only
 * the one in front asking SQLite. A thousand that ask would keep the process busy with asking.
 */
export class SqliteTurns {
  readonly #timeoutMs: number;
  /** The end of the line; undefined while nobody waits. */
  #last: Promise<unknown> | undefined;

  /** @param timeoutMs how long each may wait, in milliseconds */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Does some work as soon as the database is free; at once, and before this returns, where it is free now.
   *
   * @param work throws SQLITE_BUSY while it is not
   * @param glance an answer that can be had without the lock, or `undefined` where there is none
   * @throws WebhookError `store_unavailable` where the database did not get free in time; else what the work threw
   */
  async take<Result>(work: () => Result, glance: () => Result | undefined = () => undefined): Promise<Result> {
    const until = performance.now() + this.#timeoutMs;
    const ahead = this.#last;
    const done = (ahead ? undefined : unlessBusy(work)) ?? glanced(glance);
    if (done) return done.result;
    const turn = Promise.resolve(ahead).then(() => this.#insist(work, glance, until));
    this.#queue(turn);
    return turn;
  }

  #queue(turn: Promise<unknown>): void {
    const over = turn
      .catch(() => {})
      .then(() => {
        if (this.#last === over) this.#last = undefined;
      });
    this.#last = over;
  }

  async #insist<Result>(work: () => Result, glance: () => Result | undefined, until: number): Promise<Result> {
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const done = unlessBusy(work) ?? glanced(glance);
      if (done) return done.result;
      if (performance.now() >= until) throw stillLocked(this.#timeoutMs);
      // By chance, so that processes that were refused together do not ask together again.
      await pause(Math.min(Math.random() * pauseMs, until - performance.now()));
    }
  }
}

type Done<Result> = { readonly result: Result };

function unlessBusy<Result>(work: () => Result): Done<Result> | undefined {
  try {
    return { result: work() };
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function glanced<Result>(glance: () => Result | undefined): Done<Result> | undefined {
  const seen = unlessBusy(glance)?.result;
  return seen === undefined ? undefined : { result: seen };
}

function stillLocked(timeoutMs: number): WebhookError {
  const message = `The SQLite database stayed locked by another connection for ${timeoutMs} ms (timeoutMs)`;
  return new WebhookError("store_unavailable", message);
}
