import { unref, withTimeout } from "../../async.ts";
import type { Ask } from "./client.ts";
import { failure } from "./errors.ts";
import { MAINTENANCE_TIMEOUT_MS } from "./migrate.ts";
import type { Statement } from "./sql.ts";

/**
 * Deletes the expired records, in batches.
 *
 * @param isStopped true ends the purge after the current batch
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

/**
 * Purges at intervals, one run at a time. It keeps no process alive.
 *
 * @param everyMs the interval, in milliseconds
 * @param purgeOnce one run
 * @param onFailure called at the first failure after a success
 * @returns a function that stops it; resolves once no run is under way
 */
export function purgeEvery(
  everyMs: number,
  purgeOnce: (isStopped: () => boolean) => Promise<unknown>,
  onFailure: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> | undefined;
  let failing = false;
  let stopped = false;

  async function run(): Promise<void> {
    try {
      await purgeOnce(() => stopped);
      failing = false;
    } catch (error) {
      if (failing) return;
      failing = true;
      onFailure(error);
    } finally {
      running = undefined;
    }
  }

  const timer = setInterval(() => {
    // What onFailure throws has nobody else to go to.
    running ??= run().catch(() => {});
  }, everyMs);
  unref(timer);
  return async () => {
    stopped = true;
    clearInterval(timer);
    await running;
  };
}
