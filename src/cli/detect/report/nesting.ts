/** More levels than any event has. What recurses over a whole value, as JSON.stringify does, would overflow the stack far below. */
const MAX_LEVELS = 100;

/** Whether a parsed value is nested so deeply that it is better not printed again. */
export function isNestedDeeply(value: unknown, levels: number = MAX_LEVELS): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isNestedDeeply(inner, levels - 1));
}
