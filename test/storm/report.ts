import { REASONS } from "./judge.ts";
import type { StormResult } from "./storm.ts";

type Row = readonly [label: string, figure: (result: StormResult) => number | string | undefined];

const sum = (counts: Readonly<Record<string, number>>, ...names: string[]) =>
  names.reduce((all, name) => all + (counts[name] ?? 0), 0);
const all = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((one, other) => one + other, 0);
const fault =
  (...acts: string[]) =>
  ({ faults }: StormResult) =>
    sum(faults, ...acts) || undefined;
const answer =
  (...names: string[]) =>
  ({ answers }: StormResult) =>
    sum(answers, ...names);
const withTransactions = (figure: (result: StormResult) => number) => (result: StormResult) =>
  result.eventsInTransaction > 0 ? figure(result) : undefined;
const withInbox = (figure: (result: StormResult) => number) => (result: StormResult) =>
  result.inbox === undefined ? undefined : figure(result);
const withoutInbox = (figure: (result: StormResult) => number) => (result: StormResult) =>
  result.inbox === undefined ? figure(result) : undefined;

const ROWS: readonly (Row | string)[] = [
  ["events", ({ events }) => events],
  ["  of these with completeIn", withTransactions(({ eventsInTransaction }) => eventsInTransaction)],
  ["deliveries", ({ deliveries }) => deliveries],
  ["  answered as processed or stored", answer("processed")],
  ["  answered as a duplicate", answer("duplicate")],
  ["  answered as in flight", answer("event_in_flight")],
  ["  answered: the handler failed", answer("handler_failed")],
  ["  answered: rolled back", answer("completion_rolled_back")],
  ["  answered: the store is away", answer("store_unavailable", "inbox_unavailable")],
  ["  refused: no receiver listens", answer("refused")],
  ["  cut off", answer("cut off")],
  ["  timed out", answer("timed out")],
  ["faults", ({ faults }) => all(faults)],
  ["  processes killed", fault("kill")],
  ["  processes stopped", fault("stop")],
  ["  processes frozen by a handler", fault("freeze", "freeze and throw")],
  ["  handlers that threw", fault("throw")],
  ["  handlers slower than the lease", fault("slow")],
  ["  roll-backs that were swallowed", fault("return")],
  ["  handlers that parked the event", fault("park")],
  ["  connections cut", fault("cut")],
  ["  restarts of the store", fault("restart")],
  ["  stand-stills of the store", fault("hang")],
  ["  write locks held", fault("lock")],
  ["parked, and redriven in the end", ({ inbox }) => inbox?.redriven],
  ["effects", ({ effects, effectsInTransaction }) => effects + effectsInTransaction],
  "",
  ["lost", ({ verdict }) => verdict.lost.length],
  ["  of these answered 2xx", withInbox(({ verdict }) => verdict.lostAfter2xx.length)],
  ["left in the inbox, or parked", ({ inbox }) => inbox?.left],
  ["completed twice", ({ verdict }) => verdict.completedTwice.length],
  ["answered 2xx before the effect", withoutInbox(({ verdict }) => verdict.promisedEarly.length)],
  ["doubled, and nothing explains it", ({ verdict }) => verdict.unexplained.length],
  ["doubled with completeIn", withTransactions(({ verdict }) => verdict.doubledInTransaction.length)],
  ["doubled without, explained", ({ verdict }) => all(verdict.explained)],
  ...REASONS.map(
    (reason): Row => [`  by ${wordsFor(reason)}`, ({ verdict }) => verdict.explained[reason] || undefined],
  ),
  ["crashes", ({ crashes }) => crashes.length],
  ["seconds", ({ durationMs }) => Math.round(durationMs / 1_000)],
  ["plan", ({ plan }) => plan],
];

function wordsFor(reason: (typeof REASONS)[number]): string {
  return {
    kill: "a kill after the effect",
    stop: "a stop beyond the lease",
    freeze: "a freeze beyond the lease",
    store: "an outage of the store",
    starved: "a machine too busy",
  }[reason];
}

/** A table with a column for each storm, and the promises that were broken. */
export function reportOf(results: readonly StormResult[]): string {
  const columns = results.map(({ store, flaw }) => flaw ?? store);
  const width = Math.max(14, ...columns.map(({ length }) => length + 2));
  const line = (label: string, cells: readonly string[]) =>
    `${label.padEnd(36)}${cells.map((cell) => cell.padStart(width)).join("")}`.trimEnd();
  const rows = ROWS.map((row) => {
    if (typeof row === "string") return row;
    const [label, figure] = row;
    const values = results.map(figure);
    return values.every((value) => value === undefined) ? undefined : line(label, values.map(shown));
  });
  const verdicts = results.map(({ broken }) => (broken.length === 0 ? "kept" : "BROKEN"));
  const details = results.flatMap(({ store, flaw, broken }) => broken.map((promise) => `${flaw ?? store}: ${promise}`));
  return [
    line("", columns),
    ...rows.filter((row) => row !== undefined),
    "",
    line("its promises", verdicts),
    ...details,
  ].join("\n");
}

function shown(value: number | string | undefined): string {
  return typeof value === "number" ? value.toLocaleString("en") : (value ?? "-");
}
