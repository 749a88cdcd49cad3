import { createHash } from "node:crypto";
import type { Captured } from "../search/delivery.ts";
import { isNestedDeeply } from "./nesting.ts";

/** A captured delivery whose body is a JSON object. */
export interface ParsedCapture {
  readonly captured: Captured;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The captures whose body is a JSON object, parsed. */
export function parsedCaptures(captures: readonly Captured[]): ParsedCapture[] {
  return captures.flatMap((captured) => {
    const payload = parsed(captured.body);
    return isRecord(payload) ? [{ captured, payload }] : [];
  });
}

/**
 * The deliveries of each event. Byte-identical bodies are one event; so are bodies with the same name, time and data, of which
 * only the envelope differs, as a number of the attempt would.
 */
export function eventsIn(captures: readonly ParsedCapture[]): ParsedCapture[][] {
  const events = new Map<string, ParsedCapture[]>();
  for (const one of captures) {
    const key = eventKeyOf(one);
    events.set(key, [...(events.get(key) ?? []), one]);
  }
  return [...events.values()];
}

/** How a value behaves over captured events. */
export interface Behaviour {
  /** Every delivery has it. */
  readonly always: boolean;
  /** No two events have the same. */
  readonly differs: boolean;
  /** All the deliveries of an event have the same. */
  readonly staysInRetries: boolean;
}

/** How a value behaves: another for each event, the same in its retries, or not. */
export function behaviourOf(
  events: readonly (readonly ParsedCapture[])[],
  read: (one: ParsedCapture) => string | undefined,
): Behaviour {
  const values = events.map((deliveries) => deliveries.map(read));
  return {
    always: !values.flat().includes(undefined),
    differs: new Set(values.map((deliveries) => deliveries[0])).size === events.length,
    staysInRetries: values.every((deliveries) => new Set(deliveries).size === 1),
  };
}

/** Whether a value is an object, and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function eventKeyOf({ captured, payload }: ParsedCapture): string {
  const { event, type, timestamp, created_at, created, data } = payload;
  const time = timestamp ?? created_at ?? created;
  const key = [event ?? type, time, data];
  if (isRecord(data) && time !== undefined && !isNestedDeeply(key)) return JSON.stringify(key);
  return createHash("sha256").update(captured.body).digest("hex");
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
