import type { BluumApiError } from "./errors.ts";
import type { Settings } from "./options.ts";

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 10_000;
/** The most that is added to a `Retry-After`, so that clients refused at the same time do not retry at the same time. */
const RETRY_AFTER_JITTER_MS = 250;

/**
 * Whether a failed attempt may be retried. A create only if Bluum cannot have created the webhook: the API has no idempotency key that
 * would prevent a second one.
 */
export function isRetryable(failure: BluumApiError, method: string, { maxRetryAfterMs }: Settings): boolean {
  if ((failure.retryAfterMs ?? 0) > maxRetryAfterMs) return false;
  if (failure.code === "rate_limited") return true;
  if (failure.code !== "server" && failure.code !== "network" && failure.code !== "timeout") return false;
  return method !== "post" || !failure.mayHaveHappened;
}

/**
 * How long to wait before a retry, in milliseconds: the `Retry-After` plus jitter, or else exponential backoff of which half is random.
 *
 * @param retry the number of the retry, from 1
 */
export function waitBefore(retry: number, failure: BluumApiError, { random }: Settings): number {
  if (failure.retryAfterMs !== undefined) return failure.retryAfterMs + random() * RETRY_AFTER_JITTER_MS;
  const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (retry - 1));
  return backoffMs / 2 + (random() * backoffMs) / 2;
}

/**
 * Reads `Retry-After`, in seconds or as a date, as milliseconds. A date is compared with the answer's own `Date`, so the clocks may
 * differ.
 */
export function retryAfterOf(headers: Headers, now: () => number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const until = value.endsWith("GMT") ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const from = Date.parse(headers.get("date") ?? "");
  return Math.max(0, until - (Number.isNaN(from) ? now() : from));
}
