export const exhaustive: boolean = process.env.EXHAUSTIVE === "true";

/** How many runs, rounds or processes: few in `npm test`, many with EXHAUSTIVE=true. */
export function runs(daily: number, all: number): number {
  return exhaustive ? all : daily;
}
