import type { SuiteAPI } from "vitest";

/** Whether every test runs in full: EXHAUSTIVE=true. */
export const exhaustive: boolean = process.env.EXHAUSTIVE === "true";

/**
 * Options of each case and each suite that has an exhaustive part: of what exists only with EXHAUSTIVE=true, and of what tries more
 * then. `npm run test:exhaustive` runs these alone.
 */
export const inFull = { tags: ["exhaustive"] };

/** How many runs, rounds or processes: few in `npm test`, many with EXHAUSTIVE=true. For cases with the options `inFull`. */
export function runs(daily: number, all: number): number {
  return exhaustive ? all : daily;
}

/** `describe.each`: for the first item in `npm test`, for all with EXHAUSTIVE=true. */
export function describeEach<Item>(suites: Pick<SuiteAPI, "each">, items: readonly Item[]) {
  return (title: string, suite: (item: Item) => void): void => {
    suites.each(items.slice(0, 1))(title, suite);
    if (exhaustive) suites.each(items.slice(1))(title, inFull, suite);
  };
}
