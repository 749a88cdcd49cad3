/** Bluum's published retry schedule, in milliseconds. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long after the attempt before it each retry comes ("about"). After the last one the event is parked. */
export const RETRY_DELAYS_MS: readonly number[] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 8 * HOUR_MS];

/** How long Bluum waits for an answer. */
export const ANSWER_TIMEOUT_MS = 30_000;

/**
 * How long after the first attempt a retry may still come: the schedule ends after 10 h 36 min, plus timeouts. An event that is
 * remembered for less would be processed twice. 24 h, in milliseconds.
 */
export const BLUUM_RETRY_HORIZON_MS: number = 24 * HOUR_MS;
