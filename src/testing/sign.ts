import { Buffer } from "node:buffer";
import { bluumSignature } from "../bluum/signature.ts";
import { isBytes } from "../delivery.ts";
import { WebhookError } from "../errors.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

/** What to sign, and how; see {@link signDelivery}. */
export interface SignDeliveryOptions<Event> {
  /** The endpoint's secret, the one that the receiver under test is given. */
  readonly secret: string;
  /** The payload, to be sent as JSON; or the body itself, a string or bytes, sent as it is. */
  readonly event: Event;
  /**
   * How the provider signs.
   * @default bluumSignature()
   */
  readonly scheme?: SignatureScheme;
  /**
   * The time of signing, epoch milliseconds, or a clock.
   * @default Date.now()
   */
  readonly now?: number | (() => number);
  /** The message id, for schemes that sign one; made up where it is missing. */
  readonly messageId?: string;
}

/** A signed request, ready to be sent. */
export interface SignedDelivery<Body extends string | Uint8Array = string | Uint8Array> {
  /** Always `POST`. */
  readonly method: "POST";
  /** The content type and the scheme's signature headers. */
  readonly headers: Record<string, string>;
  /** The exact body that was signed: bytes where bytes were given, else a string. */
  readonly body: Body;
}

/**
 * Signs a delivery as the provider would. What it returns goes to `fetch(url, …)` and Hono's `app.request(path, …)` as it
 * is, and to supertest by `.set(headers).send(body)`.
 *
 * @throws WebhookError `configuration_invalid` for a secret that the scheme refuses, an event that is no JSON, or a `now`
 *   that is no time
 * @example
 * const delivery = signDelivery({ secret, event: { event: "order.filled", data: { id: "ord_1" } } });
 * const response = await app.request("/webhooks/bluum", delivery);
 */
export function signDelivery<Bytes extends Uint8Array>(options: SignDeliveryOptions<Bytes>): SignedDelivery<Bytes>;
export function signDelivery(options: SignDeliveryOptions<string | object>): SignedDelivery<string>;
export function signDelivery(options: SignDeliveryOptions<string | object>): SignedDelivery {
  const { secret, event, scheme = bluumSignature(), now = Date.now, messageId } = options;
  if (typeof secret !== "string") throw refused("secret", "must be a string");
  const body = bodyOf(event);
  const signature = scheme.sign({
    secret,
    body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
    nowMs: timeOf(now),
    ...(messageId === undefined ? {} : { messageId }),
  });
  return { method: "POST", headers: { "content-type": "application/json", ...signature }, body };
}

function bodyOf(event: string | object): string | Uint8Array {
  if (typeof event === "string" || isBytes(event)) return event;
  const json: string | undefined = JSON.stringify(event);
  if (json === undefined) throw refused("event", "must be an object that JSON can express, a string or bytes");
  return json;
}

function timeOf(now: number | (() => number)): number {
  const nowMs = typeof now === "function" ? now() : now;
  if (Number.isFinite(nowMs) && nowMs >= 0) return nowMs;
  throw refused("now", "must be a time in epoch milliseconds, or a function that returns one");
}

function refused(option: string, requirement: string): WebhookError {
  return new WebhookError("configuration_invalid", `signDelivery: ${option} ${requirement}.`);
}
