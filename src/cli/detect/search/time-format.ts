/** How a moment is written. */
export type TimeFormat = "seconds" | "milliseconds" | "microseconds" | "nanoseconds" | "iso" | "http-date";

const ISO = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** From 2001 to 2099, in unix seconds: other numbers of ten digits are no timestamps. */
const SECONDS = /^[1-3]\d{9}(\.\d{1,9})?$/;

/** How a text writes a moment, or undefined where it writes none. */
export function timeFormatOf(text: string): TimeFormat | undefined {
  if (SECONDS.test(text)) return "seconds";
  if (/^[1-3]\d{12}$/.test(text)) return "milliseconds";
  if (/^[1-3]\d{15}$/.test(text)) return "microseconds";
  if (/^[1-3]\d{18}$/.test(text)) return "nanoseconds";
  if (Number.isNaN(Date.parse(text))) return undefined;
  if (ISO.test(text)) return "iso";
  return HTTP_DATE.test(text) ? "http-date" : undefined;
}

/** The moment that a text writes in its format, epoch milliseconds. */
export function momentOf(text: string, format: TimeFormat): number {
  if (format === "iso" || format === "http-date") return Date.parse(text);
  return Number(text) * MS_EACH[format];
}

/** How many milliseconds one of each unit has. */
export const MS_EACH: Readonly<Record<Exclude<TimeFormat, "iso" | "http-date">, number>> = {
  seconds: 1_000,
  milliseconds: 1,
  microseconds: 1e-3,
  nanoseconds: 1e-6,
};

/** Whether something in a text looks like a moment: it would be another in the next delivery. */
export function hasTimestamp(text: string): boolean {
  return /(?<!\d)[1-3]\d{9}(\d{3}){0,3}(?!\d)|\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text);
}
