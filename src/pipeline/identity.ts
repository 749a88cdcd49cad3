import { createHash } from "node:crypto";
import { ignoreRejection } from "../async.ts";
import { WebhookError } from "../errors.ts";
import type { IdentifiedBy } from "./outcome.ts";

/** Which event a delivery is about. */
export interface Identity {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
}

/** What the `eventId` option is given: verified material only. */
export interface VerifiedDelivery {
  /** The whole parsed body. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The event's name. */
  readonly type: string;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  /** The message id, where the scheme signs one. */
  readonly messageId?: string | undefined;
}

/** Names an event's id, where the default order does not fit; `""` or `undefined` falls back to it. */
export type EventIdOption = (verified: VerifiedDelivery) => string | undefined;

/**
 * Finds the event's id, only in what the signature covers: the option, the signed message id, the payload, the body's
 * hash, in this order (provider contract, "The event id").
 *
 * @throws WebhookError `event_id_failed` where the option threw or returned something else than a string
 */
export function identify(verified: VerifiedDelivery, option: EventIdOption | undefined): Identity {
  const chosen = option === undefined ? undefined : askOption(option, verified);
  if (chosen) return { id: chosen, identifiedBy: "option" };
  if (verified.messageId) return { id: verified.messageId, identifiedBy: "scheme" };
  const named = eventIdField(verified.payload);
  // In doubt the hash: a wrong id would lose an event.
  return named === undefined
    ? { id: bodyHash(verified.rawBody), identifiedBy: "body_hash" }
    : { id: named, identifiedBy: "payload" };
}

/** The id of an event whose payload names none. */
export function bodyHash(body: Uint8Array | string): string {
  return `sha256:${sha256(body)}`;
}

function askOption(option: EventIdOption, verified: VerifiedDelivery): string | undefined {
  let answer: unknown;
  try {
    answer = option(verified);
  } catch (cause) {
    throw new WebhookError("event_id_failed", "the eventId option threw", { cause });
  }
  if (answer === undefined || typeof answer === "string") return answer;
  ignoreRejection(answer);
  throw new WebhookError(
    "event_id_failed",
    `the eventId option returned ${typeof answer}, not a string; it must be synchronous`,
  );
}

/**
 * The id that a payload names, where one of its fields is beyond doubt: `event_id`, `eventId`, or an `id` that says it is an
 * event's. None of them counts if it begins like a resource's id, or if the resource repeats it.
 */
export function eventIdField(payload: Readonly<Record<string, unknown>>): string | undefined {
  const { event_id, eventId, id, ...others } = payload;
  const { data, object } = others;
  const hasData = typeof data === "object" && data !== null;
  // Without data the resource's fields stand at the top level, `id` among them.
  const resource = hasData ? data : { ...others, id };
  if (isEventId(event_id) && !standsIn(resource, event_id)) return event_id;
  if (isEventId(eventId) && !standsIn(resource, eventId)) return eventId;
  const isEnvelopes = isEventId(id) && saysEvent(id, object) && !standsIn(hasData ? data : others, id);
  return isEnvelopes ? id : undefined;
}

const RESOURCE_PREFIX = /^(ord|dep|wd|doc|inv|wh|fs|pos|acc|wal)_/i;
const EVENT_PREFIX = /^(evt|msg)_/;

/** Whether a text begins like the id of one of the provider's resources. */
export function hasResourcePrefix(id: string): boolean {
  return RESOURCE_PREFIX.test(id);
}

/** A resource's id never passes for an event's: two events of one order would collapse into one. */
function isEventId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !hasResourcePrefix(value);
}

/** Whether a plain `id` is an event's, by its prefix or by `object`, which names what it belongs to. */
function saysEvent(id: string, object: unknown): boolean {
  if (object === "event") return true;
  const namesResource = typeof object === "string" && !/event/i.test(object);
  return EVENT_PREFIX.test(id) && !namesResource;
}

/**
 * Whether an id is among the values of an object, at any depth and in any case. Numbers count by their value, since a large one
 * loses digits when it is parsed.
 */
export function standsIn(root: object, id: string): boolean {
  const [text, number] = [id.toLowerCase(), Number(id)];
  // A set also visits what is added meanwhile, and each object once. No recursion: JSON may be nested deeper than the stack.
  const objects = new Set<object>([root]);
  for (const one of objects) {
    for (const value of Object.values(one)) {
      if (typeof value === "object" && value !== null) objects.add(value);
      else if (typeof value === "number" ? value === number : String(value).toLowerCase() === text) return true;
    }
  }
  return false;
}

// What may stand in a key as it is. No `/` in a type, so that type and id cannot be cut elsewhere; no `#`, which parts the
// event's key from a handler's; no `:`, which job queues refuse.
const PLAIN_TYPE = /^[A-Za-z0-9_.-]{1,64}$/;
const PLAIN_ID = /^[!"$-9;-~]{1,90}$/;

/**
 * Type and id as one key: readable where both are plain and short, hashed otherwise. Two different events never share one:
 * a hashed key holds `*`, which no plain type does.
 */
export function eventKey(type: string, id: string): string {
  if (PLAIN_TYPE.test(type)) {
    if (PLAIN_ID.test(id) && !id.startsWith("sha256-")) return `${type}/${id}`;
    if (/^sha256:[0-9a-f]{64}$/.test(id)) return `${type}/sha256-${id.slice(7)}`;
  }
  // JSON keeps the two apart and, unlike UTF-8, keeps lone surrogates distinct.
  return `*/${sha256(JSON.stringify([type, id]))}`;
}

/** The key that a store sees: at most 220 bytes, with a namespace of at most 64. */
export function storeKey(namespace: string, key: string): string {
  return `${namespace}/${key}`;
}

/** The key under which one handler's success is remembered, where several match one event: at most 256 bytes. */
export function handlerKey(key: string, handler: string): string {
  // A name that begins with `=` is never plain, so that no name looks like the hash of another.
  const plain = /^[!-<>-~][!-~]*$/.test(handler) && key.length + 1 + handler.length <= 256;
  return plain ? `${key}#${handler}` : `${key}#=${sha256(JSON.stringify(handler)).slice(0, 32)}`;
}

function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
