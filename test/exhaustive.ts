export const exhaustive: boolean = process.env.EXHAUSTIVE === "true";

/** How often a property is tried: a few times by `npm test`, many times with EXHAUSTIVE=true. */
export function runs(daily: number, all: number): number {
  return exhaustive ? all : daily;
}
