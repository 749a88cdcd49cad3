import { parseEvent } from "../../../pipeline/parse.ts";
import { optionFor } from "./event-id-option.ts";
import { fieldWords, sayings } from "./event-id-words.ts";
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

/** What a report is made of. */
export interface IdFacts {
  readonly deliveries: readonly ParsedCapture[];
  /** The same by event. */
  readonly events: readonly (readonly ParsedCapture[])[];
  /** Whether a retry was captured. */
  readonly retried: boolean;
  /** The fields that behave as an event id, without those of resources. */
  readonly fields: readonly IdField[];
  readonly resources: readonly IdField[];
  readonly taken: EventIdReport["taken"];
  readonly sound: boolean;
  /** The headers that the signature covers, in lower case, where it is known. */
  readonly signedHeaders: readonly string[] | undefined;
}

/** What a scheme hands on as the message id. */
export type SignedId = (one: ParsedCapture) => string | undefined;

/**
 * Says where the event's id seems to be, and what a receiver makes of it.
 *
 * @param signedId what the scheme hands on as the message id, where it does
 * @param signedHeaders the headers that the signature covers, in lower case, where it is known
 */
export function eventIdReport(
  deliveries: readonly ParsedCapture[],
  signedId: SignedId | undefined,
  signedHeaders: readonly string[] | undefined,
): EventIdReport {
  const facts = factsOf(deliveries, signedId, signedHeaders);
  const { events, fields, resources, taken, sound } = facts;
  const option = optionFor(facts);
  return {
    deliveries: deliveries.length,
    events: events.length,
    candidates: [...fields, ...resources].map(fieldWords),
    taken,
    sound,
    ...(option && { option: option.code }),
    says: sayings(facts, option),
  };
}

function factsOf(
  deliveries: readonly ParsedCapture[],
  signedId: SignedId | undefined,
  signedHeaders: readonly string[] | undefined,
): IdFacts {
  const events = eventsIn(deliveries);
  const fields = idFields(events);
  const { always, differs, staysInRetries } = behaviourOf(events, signedId ?? idOfReceiver);
  return {
    deliveries,
    events,
    retried: deliveries.length > events.length,
    fields: fields.filter(({ isResource }) => !isResource),
    resources: fields.filter(({ isResource }) => isResource),
    taken: takenFrom(deliveries, signedId),
    sound: always && differs && staysInRetries,
    signedHeaders,
  };
}

function takenFrom(deliveries: readonly ParsedCapture[], signedId: SignedId | undefined): EventIdReport["taken"] {
  const ids = deliveries.map(idOfReceiver);
  if (ids.length === 0 || ids.includes(undefined)) return "nothing";
  if (signedId !== undefined) return "signed header";
  return ids.some((id) => id?.startsWith("sha256:")) ? "body hash" : "payload";
}

/** The id that a receiver takes without a signed one and without the option. */
function idOfReceiver({ captured }: ParsedCapture): string | undefined {
  try {
    return parseEvent(captured.body).id;
  } catch {
    return undefined;
  }
}
