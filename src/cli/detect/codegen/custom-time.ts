import type { Source } from "../search/source.ts";
import { MS_EACH, type TimeFormat } from "../search/time-format.ts";

/** A source of timestamps. */
export interface TimedSource extends Source {
  readonly format: TimeFormat;
}

/** What a timestamp looks like, as it stands in a regular expression. */
export const TIME_PATTERN: Readonly<Record<TimeFormat, string>> = {
  seconds: "\\d{10}(?:\\.\\d{1,9})?",
  milliseconds: "\\d{13}",
  microseconds: "\\d{16}",
  nanoseconds: "\\d{19}",
  iso: "\\d{4}-\\d\\d-\\d\\d[Tt ][\\d:.]{8,18}(?:[Zz]|[+-]\\d\\d:?\\d\\d)",
  "http-date": "[A-Za-z]{3}, [\\w :]{17,22} GMT",
};

/** The expression of a timestamp's moment in epoch milliseconds. */
export function momentCode(format: TimeFormat): string {
  if (format === "iso" || format === "http-date") return "Date.parse(timestamp)";
  if (format === "milliseconds") return "Number(timestamp)";
  return `Number(timestamp) * ${format === "seconds" ? "1_000" : MS_EACH[format]}`;
}

/** The expression of a timestamp's text at `nowMs`. */
export function timestampCode(format: TimeFormat): string {
  if (format === "iso") return "new Date(nowMs).toISOString()";
  if (format === "http-date") return "new Date(nowMs).toUTCString()";
  // Whole milliseconds first: a product of more digits than a number has would not be exact.
  if (format === "microseconds") return 'String(Math.floor(nowMs)) + "000"';
  if (format === "nanoseconds") return 'String(Math.floor(nowMs)) + "000000"';
  return format === "seconds" ? "String(Math.floor(nowMs / 1_000))" : "String(Math.floor(nowMs))";
}
