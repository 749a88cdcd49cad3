/** Bluum's published retry schedule, in milliseconds. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The approximate delay of each retry after the attempt before it. After the last retry Bluum parks the event. */
export const RETRY_DELAYS_MS: readonly number[] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 8 * HOUR_MS];

/** How long Bluum waits for a reply. */
export const ANSWER_TIMEOUT_MS = 30_000;

/**
 * How long after the first attempt Bluum may still retry: 24 h. The schedule ends after 10 h 36 min, plus timeouts. An event that is
 * remembered for less time could be processed twice.
 */
export const BLUUM_RETRY_HORIZON_MS: number = 24 * HOUR_MS;
