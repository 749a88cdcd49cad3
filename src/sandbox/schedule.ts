import type { Random } from "./random.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long after the attempt before each retry comes, as Bluum documents it ("about"). After the last the event is parked. */
export const RETRY_DELAYS_MS: readonly number[] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 8 * HOUR_MS];

/** How long Bluum waits for an answer. */
export const ANSWER_TIMEOUT_MS = 30_000;

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
