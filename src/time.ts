import { ignoreRejection } from "./async.ts";

/**
 * What a clock that a user plugged in tells, in milliseconds: NaN where that is no time. By such a time nothing would be too old, and
 * everything would have ended.
 */
export function msOf(told: unknown): number {
  const ms = told instanceof Date ? told.getTime() : told;
  if (Number.isFinite(ms)) return ms as number;
  ignoreRejection(told);
  return Number.NaN;
}
