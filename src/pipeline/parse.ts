import buffer, { Buffer } from "node:buffer";
import { ignoreRejection, isPending } from "../async.ts";
import { isBytes } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import { type BluumEvent, domainAndAction } from "../events/event.ts";
import { bodyHash, eventIdField } from "./identity.ts";
import { type EventTime, eventTime } from "./occurred-at.ts";

/** The parsed body of a delivery: a JSON object that names an event. */
export interface Envelope extends EventTime {
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

// Fatal, so that no two bodies can mean the same text under two signatures; it drops a leading BOM by itself.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Bytes to envelope: strict about the encoding and the JSON, loose about everything that Bluum may add later.
 *
 * @throws WebhookError `payload_not_utf8`, `payload_not_json` or `payload_not_event`, or `handler_failed` where `parseJson` is
 *   asynchronous; no message shows anything of the payload
 */
export function parseEnvelope(rawBody: Uint8Array, parseJson: (text: string) => unknown = JSON.parse): Envelope {
  return readEnvelope(parseText(decode(rawBody), parseJson));
}

/** A parsed payload to envelope. */
function readEnvelope(payload: unknown): Envelope {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new WebhookError("payload_not_event", "the body is not a JSON object");
  }
  const fields = payload as Record<string, unknown>;
  // The documentation names `event`; Bluum's REST resources say `type` (provider contract, "The payload").
  const type = text(fields.event) ?? text(fields.type);
  if (type === undefined) {
    refusePromise(payload);
    throw new WebhookError(
      "payload_not_event",
      "the body names no event: neither `event` nor `type` is a non-empty string",
    );
  }
  return { type, payload: fields, ...eventTime(fields) };
}

/** Of a `parseJson` that is asynchronous: the event may be a sound one, so that it must come again. */
function refusePromise(payload: unknown): void {
  if (!isPending(payload)) return;
  ignoreRejection(payload);
  throw new WebhookError("handler_failed", "the parseJson option returned a promise; it must be synchronous");
}

/** The event that users see, of an envelope and the id that was found for it. */
export function toEvent({ type, payload, occurredAt }: Envelope, id: string): BluumEvent {
  const { domain, action } = domainAndAction(type);
  return { id, type, domain, action, occurredAt, data: payload.data, payload } as BluumEvent;
}

/**
 * Makes the typed event of a payload that was verified before: for a worker that got `event.payload` from a queue. It
 * verifies nothing.
 *
 * @param payload the parsed payload, or its bytes
 * @param options.id the event's id, as `context.eventId` gave it. Without it the id is read from the payload, and where
 *   the payload names none it is the hash of the bytes, or for a parsed payload of its JSON text
 * @throws WebhookError `payload_not_utf8`, `payload_not_json` or `payload_not_event`
 */
export function parseEvent(payload: unknown, options: { readonly id?: string } = {}): BluumEvent {
  const envelope = isBytes(payload) ? parseEnvelope(payload) : readEnvelope(payload);
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

/** From the default export, since not every runtime has it. */
const { isAscii } = buffer as Partial<typeof buffer>;
/** To ask whether a body is ASCII costs more than it saves below this size. */
const ASKED_BYTES = 1_024;

function decode(rawBody: Uint8Array): string {
  // In Latin-1 it means the same, and takes half the time.
  if (rawBody.byteLength > ASKED_BYTES && isAscii?.(rawBody)) return asBuffer(rawBody).toString("latin1");
  try {
    return utf8.decode(rawBody);
  } catch {
    throw new WebhookError("payload_not_utf8", "the body is not valid UTF-8");
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function parseText(json: string, parseJson: (text: string) => unknown): unknown {
  try {
    return parseJson(json);
  } catch {
    // Without the cause: a parser's message quotes the payload.
    throw new WebhookError("payload_not_json", "the body is not JSON");
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
