import { RETRY_DELAYS_MS } from "../../bluum/retry-schedule.ts";
import type { Random } from "../random.ts";

/** Retries are sent early by up to this part of their delay and never late, so that a test can wait for the documented delay. */
const JITTER = 0.05;

/**
 * How long to wait before the next retry, in milliseconds; undefined after the last attempt.
 *
 * @param attempts how many there were
 */
export function retryDelayMs(attempts: number, random: Random): number | undefined {
  const delayMs = RETRY_DELAYS_MS[attempts - 1];
  return delayMs === undefined ? undefined : Math.round(delayMs * (1 - JITTER * random()));
}
