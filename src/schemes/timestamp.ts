import type { OptionChecks } from "../options.ts";

const MIN_TOLERANCE_MS = 1_000;
const MAX_TOLERANCE_MS = 24 * 60 * 60_000;

/** Whether the text is a timestamp in decimal unix seconds, of at most 15 digits. */
export function isTimestamp(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** Whether a signed timestamp is at most `toleranceMs` from the receiver's clock, in either direction. False if `nowMs` is NaN. */
export function isWithinTolerance(timestamp: string, nowMs: number, toleranceMs: number): boolean {
  return Math.abs(nowMs - Number(timestamp) * 1_000) <= toleranceMs;
}

/** A time in epoch milliseconds as decimal unix seconds, rounded down. */
export function timestampOf(nowMs: number): string {
  return String(Math.floor(nowMs / 1_000));
}

/** Refuses an option `toleranceMs` that is not a whole number of milliseconds from one second to one day. */
export function checkTolerance({ integer }: OptionChecks, toleranceMs: number): void {
  integer("toleranceMs", toleranceMs, MIN_TOLERANCE_MS, MAX_TOLERANCE_MS);
}
