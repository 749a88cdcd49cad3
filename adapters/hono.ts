/**
 * Mounts a receiver on Hono 4, on every runtime.
 *
 * @example
 * import { Hono } from "hono";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumEvent, bluumWebhooks } from "bluum-webhooks/hono";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * const app = new Hono();
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), async (c) => {
 *   console.log(bluumEvent(c).type);
 *   return c.body(null, 204);
 * });
 *
 * @module bluum-webhooks/hono
 */

import type { Context, Handler, MiddlewareHandler } from "hono";
import {
  type Delivery,
  isSuccess,
  middlewareMissing,
  middlewareReceiverOf,
  type Reply,
  refusal,
  replyTo,
  rethrowable,
  settleByStatus,
} from "../src/adapter.ts";
import type { AcceptedOutcome, BluumEvent, DeliveryContext, Receiver, ReceiverOptions } from "../src/index.ts";
import { toResponse } from "./fetch.ts";
import { isOnNode, readHonoBody } from "./hono/body.ts";

/** What `bluumWebhooks` sets in the context: `c.get("bluumEvent")`. */
export interface BluumVariables {
  /** The verified event. */
  bluumEvent: BluumEvent;
  /** Its delivery: key, raw body, headers, signal. */
  bluumDelivery: DeliveryContext;
}

/**
 * Middleware that passes on only genuine, new events, with `bluumEvent` and `bluumDelivery` set, and answers all other deliveries.
 * It settles by the response of the handlers behind it: 2xx is processed. Anything else is retried, and so is an error, whatever
 * `onError` answers.
 *
 * @param receiver a receiver, or the options to make one
 * @throws WebhookError `configuration_invalid` for an invalid option, or a receiver with an inbox
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), async (c) => {
 *   const event = bluumEvent(c);
 *   return c.body(null, 204);
 * });
 */
export function bluumWebhooks(receiver: Receiver | ReceiverOptions): MiddlewareHandler<{ Variables: BluumVariables }> {
  const mounted = middlewareReceiverOf(receiver);
  return async function bluumHonoMiddleware(c, next) {
    const outcome = await mounted.receive(deliveryOf(c));
    if (outcome.kind !== "accepted") return answer(c, replyTo(outcome));
    c.set("bluumEvent", outcome.event);
    c.set("bluumDelivery", outcome.context);
    try {
      await next();
    } catch (thrown) {
      // Hono passes only instances of Error to `onError`; for anything else there would be no answer.
      c.error = rethrowable(thrown);
    }
    await settleAfter(c, outcome);
    return undefined;
  };
}

/** Runs the receiver's handlers, settles, and answers. */
export function bluumHandler(receiver: Receiver): Handler {
  return async function bluumHonoHandler(c) {
    return answer(c, await receiver.handle(deliveryOf(c)));
  };
}

/**
 * The event of a context behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` if `bluumWebhooks` did not accept this request
 */
export function bluumEvent(c: { readonly get: (key: "bluumEvent") => unknown }): BluumEvent {
  const event = c.get("bluumEvent");
  if (event === undefined) throw middlewareMissing("bluumEvent(c)");
  return event as BluumEvent;
}

function deliveryOf(c: Context): Delivery {
  const { req } = c;
  return {
    method: req.method,
    headers: req.raw.headers,
    body: (limits) => readHonoBody(c, limits),
    request: req,
    waitUntil: waitUntilOf(c),
  };
}

/** Cloudflare Workers end work that outlasts the answer or the sender's connection, unless the execution context holds it. */
function waitUntilOf(c: Context): Delivery["waitUntil"] {
  // Node has none, and asking for it there costs an error.
  if (isOnNode(c)) return undefined;
  try {
    const { executionCtx } = c;
    return (work) => executionCtx.waitUntil(work);
  } catch {
    // Hono throws on runtimes without one.
    return undefined;
  }
}

async function settleAfter(c: Context, outcome: AcceptedOutcome): Promise<void> {
  const { error } = c;
  // If no handler answered, Hono shows 200 here. A 2xx of `onError` would acknowledge an event whose handler failed.
  if (!c.finalized || (error && isSuccess(c.res.status))) replaceResponse(c, refusal("handler_failed"));
  const { status } = c.res;
  if (error) await outcome.settle("failed", { status, error });
  else {
    const overruled = await settleByStatus(outcome, status);
    if (overruled) replaceResponse(c, overruled);
  }
  if (!isSuccess(c.res.status)) refuseSuccess(c, refusal("handler_failed").status);
}

/** Answers in place of the app. No middleware further out turns a refusal into a 2xx. */
function answer(c: Context, reply: Reply): Response {
  if (!isSuccess(reply.status)) refuseSuccess(c, reply.status);
  return toResponse(reply);
}

function replaceResponse(c: Context, reply: Reply): void {
  // Emptied first: Hono copies the headers of an existing response to the new one.
  c.res = undefined;
  c.res = toResponse(reply);
}

/**
 * Replaces the status of a 2xx answer to a failed event or a refused delivery: a middleware further out may set `c.res`, and a 2xx would
 * acknowledge the event. Only Node has a means for this: the response of its server, `c.env.outgoing`.
 */
function refuseSuccess(c: Context, failure: number): void {
  const { outgoing } = c.env ?? {};
  if (typeof outgoing?.writeHead !== "function") return;
  const { writeHead } = outgoing;
  outgoing.writeHead = (status: number, ...rest: unknown[]) =>
    writeHead.call(outgoing, isSuccess(status) ? failure : status, ...rest);
}
