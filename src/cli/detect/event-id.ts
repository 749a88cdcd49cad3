import { parseEvent } from "../../pipeline/parse.ts";
import { literal } from "./code-text.ts";
import { behaviourOf, eventsIn, type ParsedCapture } from "./events.ts";
import { type IdField, idFields } from "./id-field.ts";

/** What the captures tell about the event's id. */
export interface EventIdReport {
  /** How many deliveries could be looked at, of how many events. */
  readonly deliveries: number;
  readonly events: number;
  /** The fields that behave as an event id, the likeliest first: `header webhook-id`, `body id`. */
  readonly candidates: readonly string[];
  /** What a receiver takes for the id by itself. */
  readonly taken: "signed header" | "payload" | "body hash" | "nothing";
  /** Whether that told events apart and recognised retries in these captures. */
  readonly sound: boolean;
  /** The line for `createReceiver`, where the receiver does not find the id by itself. */
  readonly option?: string;
  /** The same in sentences. */
  readonly says: readonly string[];
}

/**
 * Says where the event's id seems to be, and what a receiver makes of it.
 *
 * @param signedId what the scheme hands on as the message id, where it does
 * @param signedHeaders the headers that the signature covers, in lower case
 */
export function eventIdReport(
  captures: readonly ParsedCapture[],
  signedId: ((one: ParsedCapture) => string | undefined) | undefined,
  signedHeaders: readonly string[],
): EventIdReport {
  const events = eventsIn(captures);
  const fields = idFields(events);
  const takes = signedId ?? idOfReceiver;
  const { always, differs, staysInRetries } = behaviourOf(events, takes);
  const facts: Facts = {
    captures,
    events,
    fields: fields.filter(({ isResource }) => !isResource),
    resources: fields.filter(({ isResource }) => isResource),
    taken: captures.length === 0 ? "nothing" : takenFrom(captures, signedId),
    sound: always && differs && staysInRetries,
    retried: captures.length > events.length,
    signedHeaders,
  };
  const option = optionOf(facts);
  return {
    deliveries: captures.length,
    events: events.length,
    candidates: fields.map(fieldWords),
    taken: facts.taken,
    sound: facts.sound,
    ...(option && { option }),
    says: [...evidence(facts), ...verdict(facts), ...warnings(facts), ...wanted(facts)],
  };
}

interface Facts {
  readonly captures: readonly ParsedCapture[];
  readonly events: readonly (readonly ParsedCapture[])[];
  readonly fields: readonly IdField[];
  readonly resources: readonly IdField[];
  readonly taken: EventIdReport["taken"];
  readonly sound: boolean;
  readonly retried: boolean;
  readonly signedHeaders: readonly string[];
}

function idOfReceiver({ captured }: ParsedCapture): string | undefined {
  try {
    return parseEvent(captured.body).id;
  } catch {
    return undefined;
  }
}

function takenFrom(captures: readonly ParsedCapture[], signedId: unknown): EventIdReport["taken"] {
  if (signedId !== undefined) return "signed header";
  const ids = captures.map(idOfReceiver);
  if (ids.includes(undefined)) return "nothing";
  return ids.every((id) => !id?.startsWith("sha256:")) ? "payload" : "body hash";
}

/** An option is needed where the receiver's own choice is wrong, or a hash although the body names an id. */
function optionOf({ taken, sound, fields, events, captures }: Facts): string | undefined {
  if (taken === "nothing" || (sound && taken !== "body hash")) return undefined;
  const field = fields.find((one) => one.in === "body");
  if (field && (events.length > 1 || /event|message|msg|notification/i.test(field.path.join(".")))) {
    return `eventId: ({ payload }) => ${readingOf(field)},`;
  }
  // What retries change can only be told apart by the hash where they do not change the bytes.
  const byBytes = behaviourOf(events, ({ captured }) => Buffer.from(captured.body).toString("latin1"));
  if (taken === "body hash" || captures.length === 1 || !byBytes.staysInRetries) return undefined;
  return 'eventId: ({ rawBody }) => createHash("sha256").update(rawBody).digest("hex"), // import { createHash } from "node:crypto"';
}

/** An expression that gives the field's text, or undefined where it is missing. */
function readingOf({ path, isNumber }: IdField): string {
  const type = path.reduceRight((inner, name) => `{ ${literal(name)}?: ${inner} }`, isNumber ? "number" : "string");
  const access = path.map((name, level) => `${level === 0 ? "" : "?."}[${literal(name)}]`).join("");
  return `(payload as ${type})${access}${isNumber ? "?.toString()" : ""}`;
}

function fieldWords({ in: where, path }: IdField): string {
  return `${where} ${path.map((name) => literal(name).slice(1, -1)).join(".")}`;
}

function evidence({ captures, events, fields }: Facts): string[] {
  if (captures.length === 0) return ["No captured body is a JSON object, so nothing can be said about the event id."];
  if (events.length < 2) {
    return fields.length === 0
      ? []
      : [`By their names these may be the event id: ${fields.map(fieldWords).join(", ")}. One event cannot show it.`];
  }
  const retries = captures.length - events.length;
  const seen = `in ${captures.length} deliveries of ${events.length} events (${retries} of them retries)`;
  if (fields.length === 0)
    return [`No field ${seen} is another for each event and the same in its retries, but for resources'.`];
  const listed = fields.map(fieldWords).join(", ");
  return [`Another for each event${retries > 0 ? " and the same in its retries" : ""}, ${seen}: ${listed}.`];
}

function verdict(facts: Facts): string[] {
  const { taken, sound, retried } = facts;
  const option = optionOf(facts) !== undefined;
  if (taken === "nothing") return [];
  if (taken === "signed header" && sound) return ["The signature covers the id; no eventId option is needed."];
  if (taken === "payload" && sound)
    return ["The receiver finds the id in the body by itself; no eventId option is needed."];
  if (option) return ["The receiver does not take that field by itself: give it the eventId option."];
  if (taken !== "body hash") {
    return ["What the receiver takes for the id does not fit: events share it, or it changes in retries."];
  }
  if (!sound)
    return ["Retries come with other bytes, and nothing signed names the event: they will pass for new events."];
  const proof = retried
    ? "and these retries have the same bytes, so they are recognised"
    : "which recognises retries with the same bytes";
  return [
    `The body names no event id. The receiver takes the hash of the body, ${proof}; no eventId option is needed.`,
  ];
}

function warnings({ fields, resources, taken, signedHeaders }: Facts): string[] {
  const unsigned = fields.filter((one) => one.in === "header" && !signedHeaders.includes(one.path[0] ?? ""));
  const says: string[] = [];
  if (unsigned.length > 0 && taken !== "payload") {
    says.push(
      `Do not take the id from ${unsigned.map(fieldWords).join(", ")}: the signature does not cover it, so whoever captured one delivery could replay it under new ids.`,
    );
  }
  if (fields.length === 0 && resources.length > 0) {
    says.push(
      `Warning: ${resources.map(fieldWords).join(", ")} is the id of the resource, not of the event: order.accepted and order.filled of one order share it. Never dedupe on it.`,
    );
  }
  return says;
}

function wanted({ captures, events, retried }: Facts): string[] {
  if (captures.length === 0 || (events.length > 1 && retried)) return [];
  const lacking = [
    events.length > 1 ? "" : "another event",
    retried ? "" : "a retry of the same event (answer the first with 500)",
  ];
  return [`To be sure, capture ${lacking.filter(Boolean).join(" and ")} as well.`];
}
