import { unref, withTimeout } from "../../async.ts";
import type { Ask } from "./client.ts";
import { failure } from "./errors.ts";
import { MAINTENANCE_TIMEOUT_MS } from "./migrate.ts";
import type { Statement } from "./sql.ts";

/**
 * Deletes the expired records, in batches.
 *
 * @param isStopped ends the purge after the current batch
 * @returns how many rows it deleted
 * @throws WebhookError `store_unavailable`
 */
export async function purge(
  ask: Ask,
  statement: Statement,
  batch: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  let total = 0;
  let from = "-infinity";
  try {
    for (let found = batch; found === batch && !isStopped(); ) {
      const [row] = await withTimeout(ask(statement, [batch, from]), MAINTENANCE_TIMEOUT_MS);
      total += Number(row?.deleted ?? 0);
      found = Number(row?.found ?? 0);
      from = String(row?.until);
    }
  } catch (error) {
    throw failure("purge", error);
  }
  return total;
}

/** Purges at intervals until it is stopped. It keeps no process alive. */
export class BackgroundPurge {
  readonly #everyMs: number;
  readonly #purge: (isStopped: () => boolean) => Promise<unknown>;
  readonly #onFailure: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #failing = false;

  /**
   * @param everyMs the time from the end of one run to the start of the next, in milliseconds
   * @param purge one run
   * @param onFailure called at the first failure after a success
   */
  constructor(
    everyMs: number,
    purge: (isStopped: () => boolean) => Promise<unknown>,
    onFailure: (error: unknown) => void,
  ) {
    this.#everyMs = everyMs;
    this.#purge = purge;
    this.#onFailure = onFailure;
    this.#schedule();
  }

  /** Resolves once no run is under way. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#running;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, this.#everyMs);
    unref(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      await this.#purge(() => this.#stopped);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#onFailure(error);
      this.#failing = true;
    }
    if (!this.#stopped) this.#schedule();
  }
}
