import { Buffer } from "node:buffer";
import { bluumSignature } from "../bluum/signature.ts";
import { isBytes } from "../delivery.ts";
import { checksFor } from "../options.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

const { invalid } = checksFor("signDelivery");

/** The options of {@link signDelivery}. */
export interface SignDeliveryOptions<Event> {
  /** The endpoint's secret, the same as that of the receiver under test. */
  readonly secret: string;
  /** The payload, sent as JSON; or the body itself, a string or bytes, sent unchanged. */
  readonly event: Event;
  /**
   * How the provider signs.
   * @default bluumSignature()
   */
  readonly scheme?: SignatureScheme;
  /**
   * The time of signing in epoch milliseconds, or a function that returns it.
   * @default Date.now()
   */
  readonly now?: number | (() => number);
  /** The message id, for schemes that sign one. @default a random id */
  readonly messageId?: string;
}

/** A signed request, ready to send. */
export interface SignedDelivery<Body extends string | Uint8Array = string | Uint8Array> {
  /** Always `POST`. */
  readonly method: "POST";
  /** The content type and the scheme's signature headers. */
  readonly headers: Record<string, string>;
  /** The exact body that was signed: bytes if bytes were given, otherwise a string. */
  readonly body: Body;
}

/**
 * Signs a delivery as the provider would. Pass the result to `fetch(url, …)` or Hono's `app.request(path, …)`, or to supertest with
 * `.set(headers).send(body)`.
 *
 * @throws WebhookError `configuration_invalid` for a secret that the scheme refuses, an event that cannot be JSON, or a `now` that is
 *   not a time
 * @example
 * const delivery = signDelivery({ secret, event: { event: "order.filled", data: { id: "ord_1" } } });
 * const response = await app.request("/webhooks/bluum", delivery);
 */
export function signDelivery<Bytes extends Uint8Array>(options: SignDeliveryOptions<Bytes>): SignedDelivery<Bytes>;
export function signDelivery(options: SignDeliveryOptions<string | object>): SignedDelivery<string>;
export function signDelivery(options: SignDeliveryOptions<string | object>): SignedDelivery {
  const { secret, event, scheme = bluumSignature(), now = Date.now, messageId } = options;
  if (typeof secret !== "string") throw invalid("secret", "must be a string");
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
  if (json === undefined) throw invalid("event", "must be a string, bytes, or an object that JSON can express");
  return json;
}

function timeOf(now: number | (() => number)): number {
  const nowMs = typeof now === "function" ? now() : now;
  if (Number.isFinite(nowMs) && nowMs >= 0) return nowMs;
  throw invalid("now", "must be a time in epoch milliseconds, or a function that returns one");
}
