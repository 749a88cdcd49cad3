import { RETRY_DELAYS_MS } from "../../bluum/retry-schedule.ts";
import type { Random } from "../random.ts";

/** Retries come up to this part early, never late: a test that lets the named time pass has seen them. */
const JITTER = 0.05;

/**
 * How long to wait for the next retry; undefined where there is none.
 *
 * @param attempts how many there have been
 */
export function retryDelayMs(attempts: number, random: Random): number | undefined {
  const delayMs = RETRY_DELAYS_MS[attempts - 1];
  return delayMs === undefined ? undefined : Math.round(delayMs * (1 - JITTER * random()));
}
