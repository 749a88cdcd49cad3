import type { State } from "./state.ts";

const NAME = "clock";

/** Stores the time of the sandbox's clock, so that it does not go back in the next run. */
export function keepTime(state: State, now: number): void {
  state.keep(NAME, String(now));
}

/** The last time of an earlier run's clock; 0 if there was none. */
export function keptTime(state: State): number {
  const time = Number(state.kept(NAME) ?? 0);
  return Number.isSafeInteger(time) ? time : 0;
}
