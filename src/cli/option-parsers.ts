import { InvalidArgumentError } from "commander";

/**
 * Returns a parser for an option that is a whole number within limits.
 *
 * @throws InvalidArgumentError (the parser) for anything else; commander names the option
 */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
/** A parser for an option that may be given several times: collects the values in order. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
