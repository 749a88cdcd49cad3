/** Fails if a value is not the one that the contract requires. */
export function same<Value extends string | number | boolean>(what: string, actual: Value, expected: Value): void {
  if (actual !== expected) throw new Error(`${what}: expected ${shown(expected)}, got ${shown(actual)}`);
}

/** Fails if a condition does not hold. */
export function holds(what: string, truth: boolean): void {
  if (!truth) throw new Error(`does not hold: ${what}`);
}

/** How many of the results are `value`. */
export function count<Value>(results: readonly Value[], value: Value): number {
  return results.filter((result) => result === value).length;
}

function shown(value: string | number | boolean): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
