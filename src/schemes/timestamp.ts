import { optionRefused } from "./options.ts";

const MIN_TOLERANCE_MS = 1_000;
const MAX_TOLERANCE_MS = 24 * 60 * 60_000;

/** Whether the text is a timestamp in decimal unix seconds, of at most 15 digits. */
export function isTimestamp(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** Whether a signed timestamp is at most `toleranceMs` away from the receiver's clock, before or after. */
export function isWithinTolerance(timestamp: string, nowMs: number, toleranceMs: number): boolean {
  return Math.abs(nowMs - Number(timestamp) * 1_000) <= toleranceMs;
}

/** The timestamp of a moment, as schemes write it. */
export function timestampOf(nowMs: number): string {
  return String(Math.floor(nowMs / 1_000));
}

/** Refuses a tolerance that is not a whole number of milliseconds from one second to one day. */
export function checkTolerance(scheme: string, toleranceMs: number): void {
  if (Number.isInteger(toleranceMs) && toleranceMs >= MIN_TOLERANCE_MS && toleranceMs <= MAX_TOLERANCE_MS) return;
  throw optionRefused(scheme, "toleranceMs", `must be an integer from ${MIN_TOLERANCE_MS} to ${MAX_TOLERANCE_MS}`);
}
