import { basename } from "node:path";
import type { Outcome } from "../../index.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { CheckedDelivery } from "./check-delivery.ts";
import type { ReceivedRequest } from "./read-request.ts";

/** One delivery and its results. */
export interface DeliveryResult {
  readonly request: ReceivedRequest;
  readonly checked: CheckedDelivery;
  /** The status that the sender got. */
  readonly status: number;
  readonly durationMs: number;
  /** The reason why the app's answer was not relayed in full. */
  readonly trouble?: string | undefined;
  /** Whether the app answered that no handler matches the event. */
  readonly unhandled?: boolean | undefined;
  /** The file in which the delivery was saved. */
  readonly saved?: string | undefined;
}

/** The longest documented event has 29 characters. */
const WIDTH = { type: 30, id: 16, verdict: 9 };

/** Prints one delivery: a line with remarks, or a JSON object. */
export function printDelivery(result: DeliveryResult, output: Output): void {
  if (output.json) {
    output.record(recordOf(result));
    return;
  }
  output.line(lineOf(result, output));
  for (const remark of remarks(result)) output.prose(remark, 10);
}

const VERDICT: Readonly<Record<Outcome["kind"] | "unhandled", string>> = {
  accepted: "accepted",
  unhandled: "unhandled",
  duplicate: "duplicate",
  in_flight: "in flight",
  ping: "ping",
  rejected: "refused",
};

function lineOf(
  { request, checked, status, durationMs, saved, unhandled }: DeliveryResult,
  { colors }: Output,
): string {
  const { dim, green, red, yellow } = colors;
  const color = {
    accepted: green,
    ping: green,
    duplicate: yellow,
    in_flight: yellow,
    unhandled: yellow,
    rejected: red,
  };
  const { kind } = checked.outcome;
  const verdict = unhandled && kind === "accepted" ? "unhandled" : kind;
  const columns = [
    dim(timeOfDay(request.receivedAt)),
    printable(checked.type ?? `${request.method} ${request.url}`, WIDTH.type - 1).padEnd(WIDTH.type),
    printable(checked.eventId ?? "-", WIDTH.id - 1).padEnd(WIDTH.id),
    color[verdict](VERDICT[verdict].padEnd(WIDTH.verdict)),
    (status < 300 ? green : red)(String(status)),
    `${Math.round(durationMs)} ms`.padStart(8),
    ...(saved === undefined ? [] : [dim(printable(basename(saved)))]),
  ];
  return columns.join("  ");
}

function remarks({ checked, status, trouble }: DeliveryResult): string[] {
  const lines = checked.diagnosis.map((line) => printable(line, MAX_CHARACTERS));
  if (trouble !== undefined) lines.push(printable(trouble));
  else if (checked.outcome.kind === "rejected" && status >= 200 && status < 300)
    lines.push("the app acknowledged it nevertheless: it has another secret or scheme, or does not verify signatures");
  return lines;
}

const MAX_CHARACTERS = 1_000;

function recordOf({ request, checked, status, durationMs, trouble, saved, unhandled }: DeliveryResult): object {
  const { outcome, diagnosis } = checked;
  return {
    kind: "delivery",
    receivedAt: request.receivedAt.toISOString(),
    method: request.method,
    url: request.url.slice(0, MAX_CHARACTERS),
    type: checked.type?.slice(0, MAX_CHARACTERS),
    eventId: checked.eventId?.slice(0, MAX_CHARACTERS),
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

function timeOfDay(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
