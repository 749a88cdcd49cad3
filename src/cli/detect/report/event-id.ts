import { Buffer } from "node:buffer";
import { parseEvent } from "../../../index.ts";
import { groupByEvent, type ParsedDelivery, variationOf } from "./events.ts";
import { describeField, fieldExpression, type IdField, idFields, isNamedAfterEvent } from "./id-fields.ts";

/** The captures' evidence about the event's id. */
export interface EventIdReport {
  /** The number of deliveries with a JSON object as the body, and of their events. */
  readonly deliveries: number;
  readonly events: number;
  /** The fields that vary as an event id does, the likeliest first: `header webhook-id`, `body id`. */
  readonly candidates: readonly string[];
  /** The id that a receiver uses by default. */
  readonly taken: "signed header" | "payload" | "body hash" | "nothing";
  /** Whether that id distinguishes the events and recognises the retries in these captures. */
  readonly sound: boolean;
  /** The line for `createReceiver`, if the default is wrong or the body has a better id. */
  readonly option?: string;
  /** The report in sentences. */
  readonly says: readonly string[];
}

/** The scheme that was found, as far as it concerns ids. */
export interface SignedIds {
  /** The id that the scheme passes to the receiver; undefined if the scheme passes none. */
  readonly idOf: ((one: ParsedDelivery) => string | undefined) | undefined;
  /** The headers that the signature covers, in lower case; undefined if no scheme was found. */
  readonly signedHeaders: readonly string[] | undefined;
}

/** Reports the fields that may be the event's id, and the id that a receiver uses. */
export function reportEventId(deliveries: readonly ParsedDelivery[], signed: SignedIds): EventIdReport {
  const facts = factsOf(deliveries, signed);
  const { events, fields, resources, taken, sound } = facts;
  const option = optionFor(facts);
  return {
    deliveries: deliveries.length,
    events: events.length,
    candidates: [...fields, ...resources].map(describeField),
    taken,
    sound,
    ...(option && { option: option.code }),
    says: sentences(facts, option),
  };
}

interface Facts {
  readonly deliveries: readonly ParsedDelivery[];
  /** The deliveries of each event. */
  readonly events: readonly (readonly ParsedDelivery[])[];
  readonly hasRetry: boolean;
  /** The fields that vary as an event id does, without those of resources. */
  readonly fields: readonly IdField[];
  readonly resources: readonly IdField[];
  readonly taken: EventIdReport["taken"];
  readonly sound: boolean;
  readonly signedHeaders: readonly string[] | undefined;
}

function factsOf(deliveries: readonly ParsedDelivery[], { idOf, signedHeaders }: SignedIds): Facts {
  const events = groupByEvent(deliveries);
  const fields = idFields(events);
  const { isAlwaysSet, isUnique, isStable } = variationOf(events, idOf ?? defaultId);
  return {
    deliveries,
    events,
    hasRetry: deliveries.length > events.length,
    fields: fields.filter(({ isResource }) => !isResource),
    resources: fields.filter(({ isResource }) => isResource),
    taken: sourceOfDefault(deliveries, idOf !== undefined),
    sound: isAlwaysSet && isUnique && isStable,
    signedHeaders,
  };
}

function sourceOfDefault(deliveries: readonly ParsedDelivery[], hasSignedId: boolean): EventIdReport["taken"] {
  const ids = deliveries.map(defaultId);
  if (ids.length === 0 || ids.includes(undefined)) return "nothing";
  if (hasSignedId) return "signed header";
  return ids.some((id) => id?.startsWith("sha256:")) ? "body hash" : "payload";
}

/** The id that a receiver uses if the scheme passes none; undefined if the payload names no event. */
function defaultId({ delivery }: ParsedDelivery): string | undefined {
  try {
    return parseEvent(delivery.body).id;
  } catch {
    return undefined;
  }
}

interface EventIdOption {
  readonly uses: "field" | "body hash";
  readonly code: string;
}

/**
 * The option `eventId`, if the default is wrong, or is a hash although the body has an id. A field must be proven by the captures:
 * a wrong id loses events, while a hash at most processes a retry again.
 */
function optionFor({ taken, sound, fields, events, hasRetry }: Facts): EventIdOption | undefined {
  if (events.length < 2 || taken === "nothing" || (sound && taken !== "body hash")) return undefined;
  const field = fields.find((one) => one.in === "body" && (hasRetry || isNamedAfterEvent(one)));
  if (field) return { uses: "field", code: `eventId: ({ payload }) => ${fieldExpression(field)},` };
  const bytes = variationOf(events, ({ delivery }) => Buffer.from(delivery.body).toString("latin1"));
  return taken === "body hash" || !bytes.isStable ? undefined : { uses: "body hash", code: BODY_HASH };
}

const BODY_HASH =
  'eventId: ({ rawBody }) => createHash("sha256").update(rawBody).digest("hex"), // import { createHash } from "node:crypto"';

function sentences(facts: Facts, option: EventIdOption | undefined): string[] {
  if (facts.deliveries.length === 0) return ["No captured body is a JSON object, so none names an event."];
  return [
    ...unnamedEvents(facts),
    ...evidence(facts),
    ...conclusion(facts, option),
    ...warnings(facts),
    ...toDo(facts),
  ];
}

function unnamedEvents({ deliveries }: Facts): string[] {
  const count = deliveries.filter(({ payload }) => !isName(payload.event) && !isName(payload.type)).length;
  if (count === 0) return [];
  if (count === deliveries.length)
    return [
      "No captured body names an event: none has a string as `event` or `type`. A receiver refuses such deliveries.",
    ];
  const [verb, pronoun] = count === 1 ? ["names", "it"] : ["name", "them"];
  return [`${count} of ${deliveries.length} captured bodies ${verb} no event; a receiver refuses ${pronoun}.`];
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function evidence({ deliveries, events, fields, hasRetry }: Facts): string[] {
  const listed = fields.map(describeField).join(", ");
  if (events.length < 2)
    return listed === "" ? [] : [`By name, these may be the event id: ${listed}. A single event cannot prove it.`];
  const captured = `${deliveries.length} deliveries of ${events.length} events`;
  return listed === ""
    ? [`In ${captured}, no field differs between events${hasRetry ? " and stays the same in retries" : ""}.`]
    : [`In ${captured}, these differ between events${hasRetry ? " and stay the same in retries" : ""}: ${listed}.`];
}

function conclusion({ taken, sound, hasRetry }: Facts, option: EventIdOption | undefined): string[] {
  if (option?.uses === "field")
    return ["The receiver does not use that field by default; set the option eventId as below."];
  if (option) return ["The id that the receiver uses by default is wrong; set the option eventId to the body's hash."];
  if (taken === "nothing") return [];
  if (taken === "body hash") return [hashConclusion(sound, hasRetry)];
  if (!sound) return ["The id that the receiver uses is shared by several events, or differs in each retry."];
  const place = taken === "payload" ? "The receiver finds it in the body" : "The signature covers it";
  return [`${place}; no option eventId is needed.`];
}

function hashConclusion(sound: boolean, hasRetry: boolean): string {
  if (!sound)
    return "Retries have different bytes, and nothing signed identifies the event: they are handled as new events.";
  const retries = hasRetry
    ? "these retries have the same bytes, so they are recognised"
    : "retries with the same bytes are recognised";
  return `The body has no event id, so the receiver uses the hash of the body; ${retries}. No option eventId is needed.`;
}

function warnings({ fields, resources, taken, signedHeaders }: Facts): string[] {
  const unsigned = fields.filter((one) => one.in === "header" && signedHeaders?.includes(one.path[0] ?? "") === false);
  const texts: string[] = [];
  if (unsigned.length > 0 && taken !== "payload")
    texts.push(
      `Do not use ${unsigned.map(describeField).join(", ")}: the signature does not cover it, so anyone who captured one delivery could replay it under new ids.`,
    );
  if (fields.length === 0 && resources.length > 0)
    texts.push(
      `Warning: the only ids are those of resources (${resources.map(describeField).join(", ")}), not of the event: order.accepted and order.filled of one order share it. Never deduplicate by it.`,
    );
  return texts;
}

/** The captures that are still needed. */
function toDo({ events, hasRetry }: Facts): string[] {
  const missing = [
    ...(events.length > 1 ? [] : ["another event"]),
    ...(hasRetry ? [] : ["a retry of the same event (answer the first with 500)"]),
  ];
  return missing.length === 0 ? [] : [`To be sure, capture ${missing.join(" and ")} as well.`];
}
