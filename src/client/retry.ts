import type { BluumApiError } from "./errors.ts";
import type { Settings } from "./options.ts";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** Added to what a server asks for, so that clients that were refused together do not come back together. */
const SPREAD_MS = 250;

/**
 * Whether a failed attempt may be made again. A create may only where Bluum cannot have made the webhook: it has no key by
 * which a second one would be recognised.
 */
export function isRetryable(failure: BluumApiError, method: string, { maxRetryAfterMs }: Settings): boolean {
  if ((failure.retryAfterMs ?? 0) > maxRetryAfterMs) return false;
  if (failure.code === "rate_limited") return true;
  if (failure.code !== "server" && failure.code !== "network" && failure.code !== "timeout") return false;
  return method !== "post" || !failure.mayHaveHappened;
}

/**
 * How long to wait, in milliseconds: what the server asks for and a little more; else twice as long each time, half of it by chance.
 *
 * @param retry 1 for the first one
 */
export function waitBefore(retry: number, failure: BluumApiError, { random }: Settings): number {
  if (failure.retryAfterMs !== undefined) return failure.retryAfterMs + random() * SPREAD_MS;
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (retry - 1));
  return most / 2 + (random() * most) / 2;
}

/**
 * `Retry-After` in both its forms, in milliseconds. A date is compared with the answer's own `Date`, so that the two clocks need
 * not agree.
 */
export function retryAfterOf(headers: Headers, now: () => number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const until = value.endsWith("GMT") ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const from = Date.parse(headers.get("date") ?? "");
  return Math.max(0, until - (Number.isNaN(from) ? now() : from));
}
