import type { IncomingMessage } from "node:http";
import type { Context, Handler, HonoRequest, MiddlewareHandler } from "hono";
import { isSuccess, receiverOf, refusal, replyTo, rethrowable, settleByStatus } from "../src/adapter.ts";
import {
  type AcceptedOutcome,
  type BluumEvent,
  type BodyLimits,
  type Delivery,
  type DeliveryContext,
  type Receiver,
  type ReceiverOptions,
  type Reply,
  WebhookError,
} from "../src/index.ts";
import { takeArrived } from "./arrived.ts";
import { readBody, toResponse } from "./fetch.ts";

/** What `bluumWebhooks` puts into the context: `c.get("bluumEvent")`. */
export interface BluumVariables {
  /** The verified event. */
  bluumEvent: BluumEvent;
  /** What is known of the delivery beside its event. */
  bluumDelivery: DeliveryContext;
}

/**
 * Middleware that lets only genuine, new events through, sets `bluumEvent` and `bluumDelivery`, and settles by the response
 * once the handlers after it are done: 2xx is done; anything else, or an error whatever `onError` made of it, is retried.
 * All other deliveries are answered here.
 *
 * @param receiver a receiver, or the options to make one
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), async (c) => {
 *   const event = bluumEvent(c);
 *   return c.body(null, 204);
 * });
 */
export function bluumWebhooks(receiver: Receiver | ReceiverOptions): MiddlewareHandler<{ Variables: BluumVariables }> {
  const mounted = receiverOf(receiver);
  return async function bluumHonoMiddleware(c, next) {
    const outcome = await mounted.receive(deliveryOf(c));
    if (outcome.kind !== "accepted") return toResponse(replyTo(outcome));
    c.set("bluumEvent", outcome.event);
    c.set("bluumDelivery", outcome.context);
    leaveBody(c, outcome);
    try {
      await next();
    } catch (thrown) {
      failWithoutOnError(c, thrown);
    }
    await settleAfter(c, outcome);
    return undefined;
  };
}

/** Runs the receiver's handlers and answers. */
export function bluumHandler(receiver: Receiver): Handler {
  return async function bluumHonoHandler(c) {
    return toResponse(await receiver.handle(deliveryOf(c)));
  };
}

/**
 * The event of a context behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` where `bluumWebhooks` did not accept this request
 */
export function bluumEvent(c: { readonly get: (key: "bluumEvent") => unknown }): BluumEvent {
  const event = c.get("bluumEvent");
  if (event === undefined)
    throw new WebhookError(
      "middleware_missing",
      "bluumEvent(c) was called on a request without bluumWebhooks(receiver) before it",
    );
  return event as BluumEvent;
}

/**
 * Leaves the body to those who read the request itself, such as hono/body-limit; `c.req` has it from its cache. The copy is made
 * when somebody asks for it: it costs more than everything else here.
 */
function leaveBody({ req, env }: Context, { context }: AcceptedOutcome): void {
  // What stands there @hono/node-server makes the request of.
  if (env?.incoming?.rawBody !== undefined) return;
  const left = req as unknown as LeftRequest;
  left[LEFT] = { raw: req.raw, body: context.rawBody };
  Object.defineProperty(req, "raw", COPY_WHEN_ASKED);
}

const LEFT: unique symbol = Symbol("bluum-webhooks: the body that was read");

interface LeftRequest {
  [LEFT]: { raw: Request; body: Uint8Array | undefined };
}

/** One pair of functions for all requests: for closures of each the engine would keep a shape of each. */
const COPY_WHEN_ASKED: PropertyDescriptor & ThisType<LeftRequest> = {
  configurable: true,
  enumerable: true,
  get() {
    const left = this[LEFT];
    if (left.body !== undefined) left.raw = withBody(left.raw, left.body);
    left.body = undefined;
    return left.raw;
  },
  set(raw: Request) {
    this[LEFT] = { raw, body: undefined };
  },
};

function withBody(request: Request, body: Uint8Array): Request {
  try {
    return new Request(request, { body } as RequestInit);
  } catch {
    // Not every server's request can be copied.
    return request;
  }
}

/** Hono hands only instances of Error to `onError`; anything else that was thrown would leave the request without an answer. */
function failWithoutOnError(c: Context, thrown: unknown): void {
  c.error = rethrowable(thrown);
  replaceResponse(c, refusal("handler_failed"));
}

async function settleAfter(c: Context, outcome: AcceptedOutcome): Promise<void> {
  // Where nothing was returned Hono asks onError for an answer after us, and shows a 200 until then.
  if (!c.finalized) replaceResponse(c, refusal("handler_failed"));
  if (c.error === undefined) {
    const overruled = await settleByStatus(outcome, c.res.status);
    if (overruled) replaceResponse(c, overruled);
    return;
  }
  // An onError that answers 2xx would tell the provider to forget an event whose handler failed.
  if (isSuccess(c.res.status)) replaceResponse(c, refusal("handler_failed"));
  await outcome.settle("failed", { status: c.res.status, error: c.error });
}

function replaceResponse(c: Context, reply: Reply): void {
  // Hono merges the headers of the response that is there into the one that comes; emptied first, there are none.
  c.res = undefined;
  c.res = toResponse(reply);
}

function deliveryOf(c: Context): Delivery {
  const { req } = c;
  const incoming = incomingOf(c);
  return {
    method: req.method,
    // Hono's, also on Node, where they are made at a price: a middleware may have set some.
    headers: req.raw.headers,
    body: (limits) => readHonoBody(req, incoming, limits),
    request: req,
    waitUntil: waitUntilOf(c),
  };
}

/** Workers end what goes on after the answer, or after the sender has left, unless their context holds it. */
function waitUntilOf(c: Context): Delivery["waitUntil"] {
  // Node has no such context, and Hono throws where one is asked for in vain, which is dear.
  if (c.env?.incoming !== undefined) return undefined;
  try {
    const { executionCtx } = c;
    return (work) => executionCtx.waitUntil(work);
  } catch {
    return undefined;
  }
}

/** Hono declares the values themselves and keeps promises of them. */
type BodyCache = { arrayBuffer?: Promise<ArrayBufferLike>; blob?: Promise<Blob> };
/** Of a request with these bytes on it @hono/node-server makes its own `Request`, as Google Cloud's functions hand them over. */
type Incoming = IncomingMessage & { rawBody?: unknown };

const REMEDY =
  "mount the receiver before what calls c.req.json(), c.req.text() or c.req.parseBody(), or let that call c.req.arrayBuffer() or c.req.blob(), whose bytes are exact";

/** Bytes that `c.req.arrayBuffer()` or `c.req.blob()` has read are exact; text and JSON are not. What is read here is left for `c.req`. */
async function readHonoBody(req: HonoRequest, incoming: Incoming | undefined, limits: BodyLimits): Promise<Uint8Array> {
  const { bodyCache } = req as unknown as { bodyCache: BodyCache };
  if (bodyCache.arrayBuffer !== undefined) return new Uint8Array(await bodyCache.arrayBuffer);
  if (bodyCache.blob !== undefined) return new Uint8Array(await (await bodyCache.blob).arrayBuffer());
  // From below Hono, where nobody has read it: through its `Request` costs more than checking the signature.
  const isUnread = incoming?.readableFlowing === null && incoming.rawBody === undefined;
  const arrived = isUnread ? await takeArrived(incoming, limits) : undefined;
  const bytes = arrived ?? (await readBody(req.raw, limits, REMEDY));
  // `c.req.arrayBuffer()` gives all of their buffer.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  if (incoming && arrived) Object.assign(incoming, { rawBody: Buffer.from(own.buffer) });
  bodyCache.arrayBuffer = Promise.resolve(own.buffer);
  return own;
}

/** Under which symbol @hono/node-server keeps Node's request in its own; found when first needed. */
let incomingKey: symbol | undefined;

/** On Node the request below, if Hono still has what its server made of it, and not what a middleware put in its place. */
function incomingOf({ env, req }: Context): Incoming | undefined {
  const incoming: Incoming | undefined = env?.incoming;
  if (incoming === undefined) return undefined;
  const holds = (key: symbol) => Reflect.get(req.raw, key) === incoming;
  if (incomingKey === undefined || !holds(incomingKey)) incomingKey = Object.getOwnPropertySymbols(req.raw).find(holds);
  return incomingKey === undefined ? undefined : incoming;
}
