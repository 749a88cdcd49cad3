import type { InboxFailure, ParkedEvent } from "../../inbox/inbox.ts";
import type { InboxMessage } from "../../inbox/message.ts";
import { indentJson } from "../../page/model/json-text.ts";
import type { Output } from "../output.ts";
import { printable, printableJson } from "../printable.ts";
import { recordOf, timeOf } from "./print.ts";

/** Prints a parked event with its payload. */
export function printEvent(event: ParkedEvent, output: Output): void {
  const { message, error } = event;
  if (output.json) output.record({ event: { ...recordOf(event), error, message: message ?? null } });
  else for (const line of linesOf(event, output)) output.line(line);
}

/** No text of an event is cut. */
const ALL = Number.POSITIVE_INFINITY;

function* linesOf(event: ParkedEvent, { colors }: Output): Iterable<string> {
  const { error, message } = event;
  for (const [name, value] of fieldsOf(event)) yield `${colors.bold(name.padEnd(13))} ${printable(value, ALL)}`;
  yield* ["", colors.bold("error"), ...errorLines(error)];
  if (message === undefined) {
    yield* ["", "The stored message cannot be read: it was altered, or written by a newer version."];
    return;
  }
  const headers = Object.entries(message.headers ?? {});
  if (headers.length > 0) yield* ["", colors.bold("headers")];
  for (const [name, value] of headers) yield `  ${printable(name, ALL)}: ${printable(value, ALL)}`;
  yield* ["", colors.bold("body"), ...bodyLines(message.body).map(printableJson)];
}

function* fieldsOf({ key, id, type, attempts, parkedAt, message }: ParkedEvent): Iterable<[string, string]> {
  yield ["key", key];
  yield ["id", id];
  yield ["type", type];
  yield ["attempts", String(attempts)];
  if (message !== undefined) yield* messageFields(message);
  yield ["parked at", timeOf(parkedAt)];
}

function* messageFields({
  receivedAt,
  identifiedBy,
  orderingKey,
  traceparent,
  tracestate,
}: InboxMessage): Iterable<[string, string]> {
  yield ["identified by", identifiedBy];
  if (orderingKey !== undefined) yield ["ordering key", orderingKey];
  if (traceparent !== undefined) yield ["traceparent", traceparent];
  if (tracestate !== undefined) yield ["tracestate", tracestate];
  yield ["received at", timeOf(receivedAt)];
}

/** The lines of a body, indented if it is JSON. */
function bodyLines(body: string): string[] {
  const pieces = indentJson(body) ?? [{ text: body }];
  return pieces
    .map(({ text }) => text)
    .join("")
    .split("\n");
}

/** The stack, which begins with the message unless the error was changed later. */
function errorLines({ message, stack = "" }: InboxFailure): string[] {
  const text = stack.includes(message) ? stack : `${message}\n${stack}`;
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${printable(line, ALL)}`);
}
