const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The numbers of the alerts. After a change: `node scripts/observability.mjs`. */
export const THRESHOLDS = {
  /** BluumEventsWaitTooLong: the oldest event has waited for longer than `ageMs`, during `forMs`. */
  waiting: { ageMs: 5 * MINUTE_MS, forMs: 5 * MINUTE_MS },
  /** BluumEventsParked: an event was parked within `windowMs`. */
  parked: { windowMs: 15 * MINUTE_MS },
  /** BluumSignatureFailures: more than `count` within `windowMs`, and more than `share` of all deliveries. */
  signatures: { count: 2, share: 0.1, windowMs: 15 * MINUTE_MS },
  /** BluumAcknowledgementSlow: the 99th percentile of `windowMs` is above `p99Ms`, during `forMs`. Bluum waits for 30 s. */
  slow: { p99Ms: 20_000, windowMs: 10 * MINUTE_MS, forMs: 5 * MINUTE_MS },
  /**
   * BluumNoDeliveries: none within `windowMs`, during `forMs`, where there were `usual` or more in the same window `earlierMs` before. So
   * the silence lasts for `usual` times the usual gap. A week before, because nights and weekends are quiet every week.
   */
  silence: { usual: 10, windowMs: HOUR_MS, earlierMs: 7 * 24 * HOUR_MS, forMs: 5 * MINUTE_MS },
  /** BluumClaimsLost: a claim was lost within `windowMs`. */
  claims: { windowMs: 15 * MINUTE_MS },
  /** BluumStoreErrors: more than `count` within `windowMs`. */
  store: { count: 2, windowMs: 10 * MINUTE_MS },
  /** BluumInboxErrors: more than `count` within `windowMs`, or no answer to `stats()`; during `forMs`. */
  inbox: { count: 2, windowMs: 10 * MINUTE_MS, forMs: 2 * MINUTE_MS },
  /** A counter that was not there for so long before a window is new. */
  newCounterMs: HOUR_MS,
} as const;
