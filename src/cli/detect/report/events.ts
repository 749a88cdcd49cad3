import { createHash } from "node:crypto";
import type { CapturedDelivery } from "../../capture.ts";
import { isNestedTooDeeply, isRecord } from "../../json.ts";

/** A captured delivery whose body is a JSON object. */
export interface ParsedDelivery {
  readonly delivery: CapturedDelivery;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The deliveries whose body is a JSON object, parsed. */
export function parsedDeliveries(deliveries: readonly CapturedDelivery[]): ParsedDelivery[] {
  return deliveries.flatMap((delivery) => {
    const payload = parseJson(delivery.body);
    return isRecord(payload) ? [{ delivery, payload }] : [];
  });
}

/**
 * Groups deliveries by event. Identical bodies are one event, and so are bodies with the same name, time and data that differ in
 * the rest of the envelope only, for example in the number of the attempt.
 */
export function groupByEvent(deliveries: readonly ParsedDelivery[]): ParsedDelivery[][] {
  const events = new Map<string, ParsedDelivery[]>();
  for (const one of deliveries) {
    const key = eventKey(one);
    events.set(key, [...(events.get(key) ?? []), one]);
  }
  return [...events.values()];
}

/** How a value varies between events and their retries. */
export interface Variation {
  /** Whether every delivery has it. */
  readonly isAlwaysSet: boolean;
  /** Whether no two events have the same. */
  readonly isUnique: boolean;
  /** Whether all deliveries of an event have the same. */
  readonly isStable: boolean;
}

/** Compares a value between events and their retries. An event id is always set, unique and stable. */
export function variationOf(
  events: readonly (readonly ParsedDelivery[])[],
  read: (one: ParsedDelivery) => string | undefined,
): Variation {
  const values = events.map((deliveries) => deliveries.map(read));
  return {
    isAlwaysSet: !values.flat().includes(undefined),
    isUnique: new Set(values.map((deliveries) => deliveries[0])).size === events.length,
    isStable: values.every((deliveries) => new Set(deliveries).size === 1),
  };
}

function eventKey({ delivery, payload }: ParsedDelivery): string {
  const { event, type, timestamp, created_at, created, data } = payload;
  const time = timestamp ?? created_at ?? created;
  const key = [event ?? type, time, data];
  if (isRecord(data) && time !== undefined && !isNestedTooDeeply(key)) return JSON.stringify(key);
  return createHash("sha256").update(delivery.body).digest("hex");
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
