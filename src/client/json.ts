/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object, neither an array nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path such as `data.webhook`; own properties only. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inside, name) => {
    return isObject(inside) && Object.hasOwn(inside, name) ? inside[name] : undefined;
  }, value);
}

/** The non-empty text at the first of these paths that has one. */
export function textOf(value: unknown, ...paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const text = at(value, path);
    if (typeof text === "string" && text !== "") return text;
  }
  return undefined;
}

/** The array at the first of these paths that has one. */
export function listOf(value: unknown, ...paths: readonly string[]): readonly unknown[] | undefined {
  return paths.map((path) => at(value, path)).find((list) => Array.isArray(list));
}

/** The time at the first of these paths that has one: RFC 3339 or unix seconds. */
export function timeOf(value: unknown, ...paths: readonly string[]): Date | undefined {
  for (const path of paths) {
    const given = at(value, path);
    const date = new Date(typeof given === "number" ? given * 1000 : typeof given === "string" ? given : Number.NaN);
    if (!Number.isNaN(date.getTime())) return date;
  }
  return undefined;
}
