/** Whether a parsed JSON value is an object, and not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** More levels than any event has, and far fewer than overflow the stack of a recursive function such as JSON.stringify. */
const MAX_LEVELS = 100;

/** Whether a parsed JSON value is nested too deeply to be serialized. */
export function isNestedTooDeeply(value: unknown, levels: number = MAX_LEVELS): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isNestedTooDeeply(child, levels - 1));
}
