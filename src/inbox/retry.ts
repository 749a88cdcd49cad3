import { checksFor } from "../options.ts";

/** How often an inbox runs an event, and how long it waits in between. */
export interface RetryOptions {
  /** How many attempts before the event is parked, from 1 to 100. @default 20 */
  readonly attempts?: number;
  /** The longest backoff after the first failure, in milliseconds, from 1; doubled after each. @default 5_000 */
  readonly backoffMs?: number;
  /** The longest backoff of all, in milliseconds, at most 7 days. @default 6 hours */
  readonly maxBackoffMs?: number;
}

const HOUR_MS = 60 * 60_000;

/**
 * Checks the option `retry` and fills in its defaults. With them an event is tried for about a day, at most for two.
 *
 * @param owner the function that takes the option, for the message
 * @throws WebhookError `configuration_invalid`
 */
export function retrySettings(owner: string, options: RetryOptions = {}): Required<RetryOptions> {
  const { names, integer } = checksFor(owner);
  names(options, ["attempts", "backoffMs", "maxBackoffMs"]);
  const { attempts = 20, backoffMs = 5_000, maxBackoffMs = 6 * HOUR_MS } = options;
  return {
    attempts: integer("retry.attempts", attempts, 1, 100),
    backoffMs: integer("retry.backoffMs", backoffMs, 1, 7 * 24 * HOUR_MS),
    maxBackoffMs: integer("retry.maxBackoffMs", maxBackoffMs, 1, 7 * 24 * HOUR_MS),
  };
}

/**
 * The backoff before the next attempt, in milliseconds: exponential with full jitter, so that events that failed together are not
 * retried together.
 *
 * @param failed how many attempts have failed, from 1
 * @param random from 0 to 1, for tests
 */
export function backoffAfter(
  failed: number,
  { backoffMs, maxBackoffMs }: Required<RetryOptions>,
  random: number = Math.random(),
): number {
  return Math.round(random * Math.min(maxBackoffMs, backoffMs * 2 ** (failed - 1)));
}
