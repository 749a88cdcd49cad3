import type { Inbox, InboxStats, ParkedEvent, ParkedPage } from "../../inbox/inbox.ts";
import { duration } from "../duration.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";

/** Prints how many events there are in each state. */
export function printStats({ name }: Inbox, stats: InboxStats, output: Output): void {
  const { waiting, delayed, active, parked, oldestWaitingMs } = stats;
  if (output.json) output.record({ engine: name, waiting, delayed, active, parked, oldestWaitingMs });
  else output.line(statsTable(stats, output));
}

function statsTable({ waiting, delayed, active, parked, oldestWaitingMs }: InboxStats, output: Output): string {
  const headings = ["waiting", "delayed", "active", "parked", "oldest waiting"];
  const columns = headings.map((heading) => ({ heading, align: "right" as const }));
  const oldest = waiting === 0 ? "-" : duration(oldestWaitingMs);
  return table(columns, [[...[waiting, delayed, active, parked].map(String), oldest]], output);
}

/** Prints a page of parked events. */
export function printParked({ events, cursor }: ParkedPage, output: Output): void {
  if (output.json) output.record({ events: events.map(recordOf), ...(cursor === undefined ? {} : { cursor }) });
  else output.line(events.length === 0 ? "There are no parked events." : parkedTable(events, output));
  if (cursor !== undefined && !output.json) output.note(`There are more: --cursor ${printable(cursor)}`);
}

const MAX_ERROR = 120;

/** Parked events as a table. */
export function parkedTable(events: readonly ParkedEvent[], output: Output): string {
  const rows = events.map(({ key, type, attempts, parkedAt, error }) => {
    const cells = [printable(key), printable(type), String(attempts), timeOf(parkedAt)];
    return [...cells, printable(error.message, MAX_ERROR)];
  });
  return table(["key", "type", { heading: "attempts", align: "right" }, "parked at", "error"], rows, output);
}

/** A parked event without its payload and the stack of its error. */
export function recordOf({ key, id, type, attempts, parkedAt, error }: ParkedEvent): object {
  return { key, id, type, attempts, parkedAt: isoTime(parkedAt), error: { message: error.message } };
}

/** A time in UTC, to the second. */
export function timeOf(time: Date | number): string {
  return isoTime(time)?.replace(/\.\d+Z$/, "Z") ?? "unknown";
}

function isoTime(time: Date | number): string | null {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
