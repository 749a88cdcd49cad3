import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";
import type { Evaluated } from "./evaluate.ts";
import type { PlannedEvent } from "./plan.ts";

/** Deliveries with the same result. */
interface Row {
  readonly event: string;
  /** `genuine`, or the kind of forgery. */
  readonly sent: string;
  readonly result: string;
  readonly expected: boolean;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly latenciesMs: number[];
}

/** The results of deliveries, counted. */
export interface Summary {
  add(event: PlannedEvent, evaluated: readonly Evaluated[]): void;
  /** The number of answered deliveries, of those with an unexpected answer, and of those without an answer. */
  count(): { readonly answered: number; readonly unexpected: number; readonly unanswered: number };
  /** Prints a table, or one JSON object. */
  print(output: Output): void;
}

/** The number of rows after which answers that differ in their code only share a row. */
const MAX_ROWS = 200;

/** Creates an empty summary. */
export function createSummary(): Summary {
  const rows = new Map<string, Row>();
  const count = (matches: (row: Row) => boolean) =>
    [...rows.values()].filter(matches).reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0);
  return {
    add({ type, forgery = "genuine" }, evaluated) {
      for (const { result, expected, answer } of evaluated) {
        const { status, code, latencyMs } = answer;
        const key = JSON.stringify([type, forgery, result, status, rows.size < MAX_ROWS ? code : undefined]);
        const row = rows.get(key) ?? { event: type, sent: forgery, result, expected, status, code, latenciesMs: [] };
        row.latenciesMs.push(latencyMs);
        rows.set(key, row);
      }
    },
    count: () => ({
      answered: count(({ status }) => status !== undefined),
      unexpected: count(({ expected, status }) => !expected && status !== undefined),
      unanswered: count(({ status }) => status === undefined),
    }),
    print(output) {
      if (output.json) output.record({ ...this.count(), outcomes: [...rows.values()].map(recordOf) });
      else output.line(table(COLUMNS, [...rows.values()].map(cellsOf), output));
    },
  };
}

const COLUMNS = [
  "event",
  "sent",
  "result",
  "answer",
  { heading: "count", align: "right" },
  { heading: "median", align: "right" },
  { heading: "p95", align: "right" },
  { heading: "max", align: "right" },
  "",
] as const;

function cellsOf(row: Row): string[] {
  const { event, sent, result, expected, status, code, latenciesMs } = row;
  const answer = [status, code].filter((part) => part !== undefined).join(" ");
  const latencies = [0.5, 0.95, 1].map((share) => `${quantile(latenciesMs, share)} ms`);
  const count = String(latenciesMs.length);
  return [event, sent, result, printable(answer, 60), count, ...latencies, expected ? "" : "not as expected"];
}

function recordOf({ latenciesMs, ...row }: Row): object {
  const [medianMs, p95Ms, maxMs] = [0.5, 0.95, 1].map((share) => quantile(latenciesMs, share));
  return { ...row, count: latenciesMs.length, medianMs, p95Ms, maxMs };
}

/** The smallest latency that is not exceeded by this share of them; below 10 ms with one decimal. */
function quantile(latenciesMs: readonly number[], share: number): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
