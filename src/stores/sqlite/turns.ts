import { sleep } from "../../async.ts";
import { WebhookError } from "../../errors.ts";
import { isBusy } from "./database.ts";

const MAX_BACKOFF_MS = 32;

/** A verb that waits for the write lock. */
interface Turn {
  readonly deadline: number;
  /** Tries once; false while the database is locked. */
  attempt(): boolean;
  timeOut(): void;
}

/**
 * The verbs of one store that wait for the write lock. They queue without blocking the event loop, and only the first one asks
 * SQLite: a thousand verbs that each poll would keep the process busy.
 *
 * There are two queues. Holders, which work on a claimed event, go before all others: behind a backlog of claims their leases
 * would expire.
 */
export class SqliteTurns {
  readonly #timeoutMs: number;
  readonly #holders: Turn[] = [];
  readonly #others: Turn[] = [];
  #serving = false;

  /** @param timeoutMs how long each verb may wait, in milliseconds */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Does some work as soon as the database is free; before this returns, if it is free now and no other verb waits.
   *
   * @param who `"holder"` for a verb that keeps a claim or completes it, else `"other"`
   * @param work synchronous; throws SQLITE_BUSY while the database is locked
   * @throws WebhookError `store_unavailable` if the database stayed locked for `timeoutMs`; else what the work threw
   */
  take<Result>(who: "holder" | "other", work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const line = who === "holder" ? this.#holders : this.#others;
      line.push({
        deadline: performance.now() + this.#timeoutMs,
        attempt() {
          try {
            resolve(work());
          } catch (error) {
            if (isBusy(error)) return false;
            reject(error);
          }
          return true;
        },
        timeOut: () => reject(stillLocked(this.#timeoutMs)),
      });
      if (!this.#serving) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    let backoffMs = 1;
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      const first = line[0] as Turn;
      if (first.attempt()) {
        line.shift();
        backoffMs = 1;
        continue;
      }
      this.#timeOutLate();
      // Jitter keeps processes that were refused together from asking together again.
      await sleep(Math.max(0, Math.min(Math.random() * backoffMs, first.deadline - performance.now())));
      backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS);
    }
    this.#serving = false;
  }

  #next(): Turn[] | undefined {
    return [this.#holders, this.#others].find((line) => line.length > 0);
  }

  /** All have the same timeout, so those that are late are at the front. */
  #timeOutLate(): void {
    const now = performance.now();
    for (const line of [this.#holders, this.#others]) {
      while (line[0] !== undefined && line[0].deadline <= now) line.shift()?.timeOut();
    }
  }
}

function stillLocked(timeoutMs: number): WebhookError {
  const message = `The SQLite database stayed locked by another connection for ${timeoutMs} ms (timeoutMs)`;
  return new WebhookError("store_unavailable", message);
}
