import type { State } from "./state.ts";

const NAME = "clock";

/** Keeps what the sandbox's clock shows, so that it does not go back in the next run. */
export function keepTime(state: State, now: number): void {
  state.keep(NAME, String(now));
}

/** What the clock of an earlier run showed last; 0 where there was none. */
export function keptTime(state: State): number {
  const time = Number(state.kept(NAME) ?? 0);
  return Number.isSafeInteger(time) ? time : 0;
}
