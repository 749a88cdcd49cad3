/**
 * Mounts a receiver on Koa 2 and 3.
 *
 * @example
 * import Koa from "koa";
 * import Router from "@koa/router";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumEvent, bluumWebhooks } from "bluum-webhooks/koa";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * const router = new Router();
 * router.post("/webhooks/bluum", bluumWebhooks(receiver), async (ctx) => {
 *   console.log(bluumEvent(ctx).type);
 *   ctx.status = 204;
 * });
 * new Koa().use(router.routes()).listen(3000);
 *
 * @module bluum-webhooks/koa
 */

// biome-ignore lint/suspicious/noTsIgnore: with the types installed there is no error to expect
/** @ts-ignore: without @types/koa these types are any. */
import type { Middleware, Next, ParameterizedContext } from "koa";
import {
  type Delivery,
  isSuccess,
  middlewareMissing,
  middlewareReceiverOf,
  type Reply,
  replyTo,
  rethrowable,
  settleByStatus,
} from "../src/adapter.ts";
import type { AcceptedOutcome, BluumEvent, DeliveryContext, Receiver, ReceiverOptions } from "../src/index.ts";
import { atEnd, leaveBody, leftUnread, refuseSuccess, sendReply, toDelivery } from "./node.ts";

/** What `bluumWebhooks` sets in `ctx.state`. */
export interface BluumState {
  /** The verified event. */
  bluumEvent?: BluumEvent;
  /** Its delivery: key, raw body, headers, signal. */
  bluumDelivery?: DeliveryContext;
}

/**
 * Middleware that passes on only genuine, new events, as `ctx.state.bluumEvent` and `ctx.state.bluumDelivery`, and answers all other
 * deliveries. It settles by `ctx.status` after the middleware behind it: 2xx is processed. Anything else is retried, and so is a
 * throw, whatever a middleware further out answers.
 *
 * @param receiver a receiver, or the options to make one
 * @throws WebhookError `configuration_invalid` for an invalid option, or a receiver with an inbox
 * @example
 * router.post("/webhooks/bluum", bluumWebhooks(receiver), async (ctx) => {
 *   const event = bluumEvent(ctx);
 *   ctx.status = 204;
 * });
 */
export function bluumWebhooks(receiver: Receiver | ReceiverOptions): Middleware<BluumState> {
  const mounted = middlewareReceiverOf(receiver);
  return async function bluumKoaMiddleware(ctx, next) {
    const outcome = await mounted.receive(deliveryOf(ctx));
    if (outcome.kind !== "accepted") return answer(ctx, replyTo(outcome));
    ctx.state.bluumEvent = outcome.event;
    ctx.state.bluumDelivery = outcome.context;
    // Body parsers check both.
    for (const request of [ctx.req, ctx.request]) leaveBody(request, outcome);
    const overruled = await settleAfter(next, ctx, outcome);
    if (overruled) replaceAnswer(ctx, overruled);
  };
}

/** Runs the receiver's handlers, settles, and answers. */
export function bluumHandler(receiver: Receiver): Middleware {
  return async function bluumKoaHandler(ctx) {
    answer(ctx, await receiver.handle(deliveryOf(ctx)));
  };
}

/**
 * The event of a context behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` if `bluumWebhooks` did not accept this request
 */
export function bluumEvent(ctx: { readonly state: object }): BluumEvent {
  const { bluumEvent: event } = ctx.state as BluumState;
  if (event === undefined) throw middlewareMissing("bluumEvent(ctx)");
  return event;
}

type Context = ParameterizedContext<BluumState>;

/**
 * Settles by the result of the middleware behind. If the event has failed, a middleware further out may still answer 2xx, which would
 * acknowledge it. Such an answer is refused.
 *
 * @returns the reply that replaces the app's own 2xx
 */
async function settleAfter(next: Next, ctx: Context, outcome: AcceptedOutcome): Promise<Reply | undefined> {
  try {
    await next();
  } catch (thrown) {
    refuseSuccess(ctx.res);
    const sent = ctx.headerSent ? { status: ctx.res.statusCode } : {};
    await outcome.settle("failed", { ...sent, error: thrown });
    throw rethrowable(thrown);
  }
  if (ctx.respond !== false || ctx.res.writableEnded) {
    if (!isSuccess(ctx.status)) refuseSuccess(ctx.res);
    return settleByStatus(outcome, ctx.status);
  }
  // The app answers later, by ctx.res.
  atEnd(ctx.res, (status) => void settleByStatus(outcome, status));
  return undefined;
}

/** Koa's body parsers keep their results on `ctx.request`. */
function deliveryOf({ req, request }: Context): Delivery {
  const { body, rawBody } = request as { body?: unknown; rawBody?: unknown };
  return toDelivery(req, [rawBody, body]);
}

/** Answers in place of the app, whose headers describe its own body. */
function replaceAnswer(ctx: Context, reply: Reply): void {
  for (const name of ctx.res.getHeaderNames()) ctx.remove(name);
  answer(ctx, reply);
}

function answer(ctx: Context, reply: Reply): void {
  ctx.status = reply.status;
  if (leftUnread(ctx.req)) {
    // Koa would end the response at once, and a sender that is still writing could lose it.
    ctx.respond = false;
    sendReply(ctx.req, ctx.res, reply);
    return;
  }
  if (ctx.headerSent) return;
  // A middleware further out may change the status.
  if (!isSuccess(reply.status)) refuseSuccess(ctx.res, reply);
  ctx.set(reply.headers);
  ctx.body = reply.body;
}
