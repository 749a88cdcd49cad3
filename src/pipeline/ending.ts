/** When whoever works on a delivery is ended or frozen, where that is known. All by `performance.now()`, in milliseconds. */
export interface Ending {
  /** The end itself. No lease lasts longer. */
  readonly at: number;
  /** When handlers are told and the answer is made, to be out before the end. */
  readonly answerBy: number;
  /** Until when the store is waited for: some of the time after `answerBy`, so that what was done just then can still be stored. */
  readonly storeBy: number;
}

const MARGIN_MS = 500;

/** The ending of a process that has `timeLeftMs` to live, counted from now. */
export function endingIn(timeLeftMs: number): Ending {
  const at = performance.now() + timeLeftMs;
  const margin = Math.max(0, Math.min(MARGIN_MS, timeLeftMs / 10));
  return { at, answerBy: at - margin, storeBy: at - margin / 2 };
}

/** A lease as it was asked for. It runs from when it was asked for, whenever the store's answer came. */
export interface Lease {
  /** By `performance.now()`, in milliseconds. */
  readonly sentAt: number;
  readonly leaseMs: number;
}

/** A lease that begins at `now`, in whole milliseconds: no longer than somebody lives to work under it. */
export function leaseFrom(now: number, { leaseMs, ending }: { leaseMs: number; ending?: Ending | undefined }): number {
  return ending === undefined ? leaseMs : Math.max(1, Math.min(leaseMs, Math.floor(ending.at - now)));
}
