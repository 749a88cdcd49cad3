import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";
import type { Judged } from "./evaluate.ts";
import type { PlannedEvent } from "./plan.ts";

/** Deliveries that came to the same. */
interface Row {
  readonly event: string;
  /** `genuine`, or how they were forged. */
  readonly sent: string;
  readonly result: string;
  readonly expected: boolean;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly latenciesMs: number[];
}

/** How many deliveries came to what. */
export interface Tally {
  add(event: PlannedEvent, judged: readonly Judged[]): void;
  /** How many were answered, and how many of these not as they should have been; and how many were not answered. */
  count(): { readonly answered: number; readonly unexpected: number; readonly unanswered: number };
  /** Prints it: for people a table, for programs one object. */
  print(output: Output): void;
}

/** An empty tally. Answers that differ beyond this many kinds are told together. */
export function tally(): Tally {
  const rows = new Map<string, Row>();
  const count = (of: (row: Row) => boolean) =>
    [...rows.values()].filter(of).reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0);
  return {
    add({ type, forgery = "genuine" }, judged) {
      for (const { result, expected, answer } of judged) {
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

const MAX_ROWS = 200;

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
  return [
    event,
    sent,
    result,
    printable(answer, 60),
    String(latenciesMs.length),
    ...latencies,
    expected ? "" : "not as expected",
  ];
}

function recordOf({ latenciesMs, ...row }: Row): object {
  const [medianMs, p95Ms, maxMs] = [0.5, 0.95, 1].map((share) => quantile(latenciesMs, share));
  return { ...row, count: latenciesMs.length, medianMs, p95Ms, maxMs };
}

/** The smallest latency that so great a share does not exceed, to a tenth of a millisecond below ten. */
function quantile(latenciesMs: readonly number[], share: number): number {
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
