import { sleep } from "../../async.ts";
import { WebhookError } from "../../errors.ts";
import { isBusy } from "./database.ts";

const LONGEST_PAUSE_MS = 32;

/** A verb that waits for the database. */
interface Waiting {
  readonly until: number;
  /** Tries once; false while the database is locked. */
  attempt(): boolean;
  giveUp(): void;
}

/**
 * The verbs of one store that wait for the database to be free: without blocking the event loop, only the one in front asking
 * SQLite. A thousand that ask would keep the process busy with asking.
 *
 * Those of whoever is at work on an event go before all others: behind a backlog of claims their leases would lapse.
 */
export class SqliteTurns {
  readonly #timeoutMs: number;
  readonly #holders: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #serving = false;

  /** @param timeoutMs how long each may wait, in milliseconds */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Does some work as soon as the database is free; at once, and before this returns, where it is free and nobody is ahead.
   *
   * @param who `"holder"` for what keeps a claim or its completion, `"other"` for all else
   * @param work throws SQLITE_BUSY while the database is locked
   * @param glance an answer that can be had without the lock, or `undefined` where there is none
   * @throws WebhookError `store_unavailable` where the database did not get free in time; else what the work threw
   */
  async take<Result>(
    who: "holder" | "other",
    work: () => Result,
    glance: () => Result | undefined = () => undefined,
  ): Promise<Result> {
    const line = who === "holder" ? this.#holders : this.#others;
    const isAhead = this.#holders.length > 0 || (who === "other" && this.#others.length > 0);
    const done = (isAhead ? undefined : unlessBusy(work)) ?? glanced(glance);
    if (done) return done.result;
    return new Promise((resolve, reject) => {
      line.push(this.#waiting(() => unlessBusy(work) ?? glanced(glance), resolve, reject));
      void this.#serve();
    });
  }

  #waiting<Result>(
    ask: () => Done<Result> | undefined,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ): Waiting {
    return {
      until: performance.now() + this.#timeoutMs,
      attempt() {
        try {
          const done = ask();
          if (done) resolve(done.result);
          return done !== undefined;
        } catch (error) {
          reject(error);
          return true;
        }
      },
      giveUp: () => reject(stillLocked(this.#timeoutMs)),
    };
  }

  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    let pauseMs = 1;
    for (let line = this.#next(); line; line = this.#next()) {
      const first = line[0] as Waiting;
      if (first.attempt()) {
        line.shift();
        pauseMs = 1;
        continue;
      }
      this.#sendAwayLate();
      // By chance, so that processes that were refused together do not ask together again.
      await sleep(Math.max(0, Math.min(Math.random() * pauseMs, first.until - performance.now())));
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
    this.#serving = false;
  }

  #next(): Waiting[] | undefined {
    return [this.#holders, this.#others].find((line) => line.length > 0);
  }

  /** All wait equally long, so those whose time is up stand in front. */
  #sendAwayLate(): void {
    const now = performance.now();
    for (const line of [this.#holders, this.#others]) {
      while (line[0] !== undefined && line[0].until <= now) line.shift()?.giveUp();
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
