import { basename } from "node:path";
import type { Outcome } from "../../index.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { Arrival } from "./arrival.ts";
import type { Judgement } from "./judge.ts";

/** All that is told of one delivery. */
export interface Told {
  readonly arrival: Arrival;
  readonly judgement: Judgement;
  /** What the sender was answered. */
  readonly status: number;
  readonly durationMs: number;
  /** Why the app's answer did not go back whole. */
  readonly trouble?: string | undefined;
  /** Whether the app answered that no handler matches the event. */
  readonly unhandled?: boolean | undefined;
  /** The file that it was saved to. */
  readonly saved?: string | undefined;
}

/** The longest documented event has 29 characters. */
const WIDTH = { type: 30, id: 16, verdict: 9 };

/** Prints one delivery: for people a line and what explains it, for programs an object. */
export function tell(told: Told, output: Output): void {
  if (output.json) {
    output.record(recordOf(told));
    return;
  }
  const { arrival, judgement, status, durationMs, saved, unhandled } = told;
  const { dim, green, red, yellow } = output.colors;
  const shade = {
    accepted: green,
    ping: green,
    duplicate: yellow,
    in_flight: yellow,
    unhandled: yellow,
    rejected: red,
  };
  const { kind } = judgement.outcome;
  const verdict = unhandled && kind === "accepted" ? "unhandled" : kind;
  const columns = [
    dim(clock(arrival.receivedAt)),
    printable(judgement.type ?? `${arrival.method} ${arrival.url}`, WIDTH.type - 1).padEnd(WIDTH.type),
    printable(judgement.eventId ?? "-", WIDTH.id - 1).padEnd(WIDTH.id),
    shade[verdict](VERDICT[verdict].padEnd(WIDTH.verdict)),
    (status < 300 ? green : red)(String(status)),
    `${Math.round(durationMs)} ms`.padStart(8),
    ...(saved === undefined ? [] : [dim(printable(basename(saved)))]),
  ];
  output.line(columns.join("  "));
  for (const line of remarks(told)) output.prose(line, 10);
}

const VERDICT: Readonly<Record<Outcome["kind"] | "unhandled", string>> = {
  accepted: "accepted",
  unhandled: "unhandled",
  duplicate: "duplicate",
  in_flight: "in flight",
  ping: "ping",
  rejected: "refused",
};

/** What a person should know beside the line. */
function remarks({ judgement, status, trouble }: Told): string[] {
  const lines = judgement.diagnosis.map((point) => printable(point, 1_000));
  if (trouble !== undefined) lines.push(printable(trouble));
  else if (judgement.outcome.kind === "rejected" && status >= 200 && status < 300)
    lines.push("the app acknowledged it all the same: it has another secret or scheme, or does not verify");
  return lines;
}

const MAX_CHARACTERS = 1_000;

function recordOf({ arrival, judgement, status, durationMs, trouble, saved, unhandled }: Told): object {
  const { outcome, diagnosis } = judgement;
  return {
    kind: "delivery",
    receivedAt: arrival.receivedAt.toISOString(),
    method: arrival.method,
    url: arrival.url.slice(0, MAX_CHARACTERS),
    type: judgement.type?.slice(0, MAX_CHARACTERS),
    eventId: judgement.eventId?.slice(0, MAX_CHARACTERS),
    verdict: outcome.kind,
    code: outcome.kind === "rejected" ? outcome.error.code : undefined,
    diagnosis: diagnosis.length > 0 ? diagnosis : undefined,
    status,
    unhandled: unhandled || undefined,
    durationMs: Math.round(durationMs * 10) / 10,
    trouble,
    saved,
  };
}

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
