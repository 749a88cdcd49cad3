import { InvalidArgumentError } from "commander";

/**
 * Reads a whole number for an option, within bounds.
 *
 * @throws InvalidArgumentError for anything else; commander names the option
 */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
/** Keeps all values of an option that may be given several times, in order. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
