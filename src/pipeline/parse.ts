import { ignoreRejection, isPromise } from "../async.ts";
import { type EventTime, eventIdField, eventTime, eventTypeField, type Payload } from "../bluum/envelope.ts";
import { isBytes } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import { type BluumEvent, domainAndAction } from "../events/event.ts";
import { askOption } from "./ask-option.ts";
import { bodyHash } from "./identity.ts";

/** The parsed body of a delivery: a JSON object that names an event. */
export interface Envelope extends EventTime {
  readonly type: string;
  readonly payload: Payload;
}

/** What the `eventType` option is given. */
export interface VerifiedPayload {
  /** The whole parsed body. */
  readonly payload: Payload;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  /** The headers, names in lower case. They are NOT covered by the signature. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Names an event's type where the body has it in another place; `""` or `undefined` falls back to `event` and `type`. */
export type EventTypeOption = (verified: VerifiedPayload) => string | undefined;

/** The options that parsing depends on. */
export interface ParseOptions {
  /** The type, where it is known already. */
  readonly type?: string | undefined;
  readonly parseJson?: ((text: string) => unknown) | undefined;
  readonly eventType?: EventTypeOption | undefined;
  readonly headers?: () => Readonly<Record<string, string>>;
}

// Fatal, so that no two bodies can mean the same text under two signatures; it drops a leading BOM by itself.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Bytes to envelope: strict about the encoding and the JSON, loose about everything that Bluum may add later.
 *
 * @throws WebhookError `payload_not_utf8`, `payload_not_json`, `payload_not_event`, `event_type_failed`, or `receiver_failed` where
 *   `parseJson` returned a promise; no message shows anything of the payload
 */
export function parseEnvelope(rawBody: Uint8Array, options: ParseOptions = {}): Envelope {
  return readEnvelope(parseText(decode(rawBody), options.parseJson ?? JSON.parse), rawBody, options);
}

function readEnvelope(payload: unknown, rawBody: Uint8Array | undefined, options: ParseOptions): Envelope {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new WebhookError("payload_not_event", "the body is not a JSON object");
  }
  refusePromise(payload);
  const fields = payload as Payload;
  const type = options.type || askEventType(fields, rawBody, options) || eventTypeField(fields);
  if (type === undefined) {
    throw new WebhookError(
      "payload_not_event",
      "the body names no event: neither `event` nor `type` is a non-empty string",
    );
  }
  const { occurredAt, unreadableTime } = eventTime(fields);
  return { type, payload: fields, occurredAt, unreadableTime };
}

function askEventType(
  payload: Payload,
  rawBody: Uint8Array | undefined,
  { eventType, headers }: ParseOptions,
): string | undefined {
  if (eventType === undefined || rawBody === undefined) return undefined;
  const verified = { payload, rawBody, headers: headers?.() ?? {} };
  return askOption("eventType", "event_type_failed", () => eventType(verified));
}

/** The event may be a sound one, so it must come again. */
function refusePromise(payload: object): void {
  if (!isPromise(payload)) return;
  ignoreRejection(payload);
  throw new WebhookError("receiver_failed", "the parseJson option returned a promise; it must be synchronous");
}

/** The event that users see, of an envelope and the id that was found for it. */
export function toEvent({ type, payload, occurredAt }: Envelope, id: string): BluumEvent {
  const { domain, action } = domainAndAction(type);
  return { id, type, domain, action, occurredAt, data: payload.data, payload } as BluumEvent;
}

/**
 * Makes the typed event of a payload that was verified before, for example in a worker that got `event.payload` from a queue. It
 * verifies nothing.
 *
 * @param payload the parsed payload, or its bytes
 * @param options.id the event's id, as `context.eventId` gave it. Without it the id is read from the payload; where the payload has
 *   none, it is the hash of the bytes, or for a parsed payload of its JSON text
 * @param options.type the event's type, as `event.type` gave it; needed where the `eventType` option named it
 * @throws WebhookError `payload_not_utf8`, `payload_not_json` or `payload_not_event`
 */
export function parseEvent(
  payload: unknown,
  options: { readonly id?: string; readonly type?: string } = {},
): BluumEvent {
  const { type } = options;
  const envelope = isBytes(payload) ? parseEnvelope(payload, { type }) : readEnvelope(payload, undefined, { type });
  const id = options.id ?? eventIdField(envelope.payload) ?? bodyHash(isBytes(payload) ? payload : jsonText(payload));
  return toEvent(envelope, id);
}

function jsonText(payload: unknown): string {
  try {
    const json: string | undefined = JSON.stringify(payload);
    if (json !== undefined) return json;
  } catch {
    // Refused below; without the cause, which may quote the payload.
  }
  throw new WebhookError("payload_not_json", "the payload cannot be written as JSON");
}

function decode(rawBody: Uint8Array): string {
  try {
    return utf8.decode(rawBody);
  } catch {
    throw new WebhookError("payload_not_utf8", "the body is not valid UTF-8");
  }
}

function parseText(json: string, parseJson: (text: string) => unknown): unknown {
  try {
    return parseJson(json);
  } catch {
    // Without the cause: a parser's message quotes the payload.
    throw new WebhookError("payload_not_json", "the body is not JSON");
  }
}
