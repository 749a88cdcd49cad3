import type { Middleware, ParameterizedContext } from "koa";
import { isBytes, receiverOf, replyTo, rethrowable, settleByStatus } from "../src/adapter.ts";
import {
  type AcceptedOutcome,
  type BluumEvent,
  type Delivery,
  type DeliveryContext,
  type Receiver,
  type ReceiverOptions,
  type Reply,
  WebhookError,
} from "../src/index.ts";
import { atEnd, leaveBody, leftUnread, type NodeRequest, refuseSuccess, sendReply, toDelivery } from "./node.ts";

/** What `bluumWebhooks` puts in `ctx.state`. */
export interface BluumState {
  /** The verified event. */
  bluumEvent?: BluumEvent;
  /** What is known of the delivery beside its event. */
  bluumDelivery?: DeliveryContext;
}

/**
 * Middleware that lets only genuine, new events through, attaches `ctx.state.bluumEvent` and `ctx.state.bluumDelivery`, and
 * settles by `ctx.status` once the middleware after it is done: 2xx is done; anything else, or a throw whatever a middleware
 * further out made of it, is retried. All other deliveries are answered here.
 *
 * @param receiver a receiver, or the options to make one
 * @example
 * router.post("/webhooks/bluum", bluumWebhooks(receiver), async (ctx) => {
 *   const event = bluumEvent(ctx);
 *   ctx.status = 204;
 * });
 */
export function bluumWebhooks(receiver: Receiver | ReceiverOptions): Middleware<BluumState> {
  const mounted = receiverOf(receiver);
  return async function bluumKoaMiddleware(ctx, next) {
    const outcome = await mounted.receive(deliveryOf(ctx));
    if (outcome.kind !== "accepted") return answer(ctx, replyTo(outcome));
    ctx.state.bluumEvent = outcome.event;
    ctx.state.bluumDelivery = outcome.context;
    leaveKoaBody(ctx, outcome);
    const overruled = await settleAfter(next, ctx, outcome);
    if (overruled) answer(ctx, overruled);
  };
}

/** Runs the receiver's handlers and answers. */
export function bluumHandler(receiver: Receiver): Middleware {
  return async function bluumKoaHandler(ctx) {
    answer(ctx, await receiver.handle(deliveryOf(ctx)));
  };
}

/**
 * The event of a context behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` where `bluumWebhooks` did not accept this request
 */
export function bluumEvent(ctx: { readonly state: object }): BluumEvent {
  const { bluumEvent: event } = ctx.state as BluumState;
  if (event === undefined)
    throw new WebhookError(
      "middleware_missing",
      "bluumEvent(ctx) was called on a request without bluumWebhooks(receiver) before it",
    );
  return event;
}

/** @returns the reply that must take the place of the app's own */
async function settleAfter(
  next: () => Promise<unknown>,
  ctx: Context,
  outcome: AcceptedOutcome,
): Promise<Reply | undefined> {
  try {
    await next();
  } catch (thrown) {
    // A middleware further out may answer 2xx, and tell the provider to forget the event.
    refuseSuccess(ctx.res);
    const sent = ctx.headerSent ? { status: ctx.res.statusCode } : {};
    await outcome.settle("failed", { ...sent, error: thrown });
    throw rethrowable(thrown);
  }
  if (ctx.respond !== false) return settleByStatus(outcome, ctx.status);
  // The app has taken the response over, and answers when it likes, or has answered.
  const settle = (status: number) => void settleByStatus(outcome, status);
  if (ctx.res.writableEnded) settle(ctx.res.statusCode);
  else atEnd(ctx.res, settle);
  return undefined;
}

type Context = ParameterizedContext<BluumState>;
/** Where Koa's body parsers keep what they made of the body. */
type ParsedRequest = { body?: unknown; rawBody?: unknown };

/** Koa's parsers leave their marks on `ctx.request`; a parsed object there says why the stream is drained. */
function deliveryOf(ctx: Context): Delivery {
  const { body, rawBody } = ctx.request as ParsedRequest;
  const req: NodeRequest = ctx.req;
  return toDelivery(req, [rawBody, body]);
}

function leaveKoaBody(ctx: Context, outcome: AcceptedOutcome): void {
  leaveBody(ctx.req, outcome);
  const request = ctx.request as ParsedRequest;
  // A parser that skipped the body has left an empty object there.
  if (!isBytes(request.body)) request.body = outcome.event.payload;
}

function answer(ctx: Context, reply: Reply): void {
  ctx.status = reply.status;
  if (leftUnread(ctx.req)) {
    // Koa would end the response at once, and the sender that is still writing could lose it.
    ctx.respond = false;
    sendReply(ctx.req, ctx.res, reply);
    return;
  }
  if (ctx.headerSent) return;
  // Past ctx.set, which costs as much as the rest of the answer.
  for (const name in reply.headers) ctx.res.setHeader(name, reply.headers[name] as string);
  ctx.body = reply.body;
}
