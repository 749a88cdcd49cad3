import { createHash } from "node:crypto";
import { eventIdField, type Payload } from "../bluum/envelope.ts";
import { askOption } from "./ask-option.ts";
import type { IdentifiedBy } from "./outcome.ts";

/** Which event a delivery is about. */
export interface Identity {
  readonly id: string;
  readonly identifiedBy: IdentifiedBy;
}

/** What the `eventId` option is given. Everything but the headers is covered by the signature. */
export interface VerifiedDelivery {
  /** The whole parsed body. */
  readonly payload: Payload;
  /** The event's name. */
  readonly type: string;
  /** The exact bytes that were verified. */
  readonly rawBody: Uint8Array;
  /**
   * The headers, names in lower case. They are NOT covered by the signature: with an id taken from here, a captured delivery can be
   * replayed under new ids.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The message id, where the scheme signs one. */
  readonly messageId?: string | undefined;
}

/** Names an event's id, where the default order does not fit; `""` or `undefined` falls back to it. */
export type EventIdOption = (verified: VerifiedDelivery) => string | undefined;

/** The same with the headers as a function: they are only copied for the option. */
export type Identifiable = Omit<VerifiedDelivery, "headers"> & {
  readonly headers: () => VerifiedDelivery["headers"];
};

/**
 * Finds the event's id, only in what the signature covers: the option, the signed message id, the payload, the body's
 * hash, in this order (provider contract, "The event id").
 *
 * @throws WebhookError `event_id_failed` where the option threw or returned something else than a string
 */
export function identify(verified: Identifiable, option: EventIdOption | undefined): Identity {
  const chosen =
    option && askOption("eventId", "event_id_failed", () => option({ ...verified, headers: verified.headers() }));
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

// What a key may contain unhashed. No `/` in a type, so that a key splits in one way only; no `#`, which separates the event's key
// from a handler's name; no `:`, which job queues refuse.
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
  // Joined, not concatenated: V8 would keep the pieces of a concatenated text beside it, in every record of a store.
  return [namespace, key].join("/");
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
