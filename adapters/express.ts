import type { IncomingMessage, ServerResponse } from "node:http";
import type { NextFunction, Request, Response } from "express";
import { receiverOf, replyTo, rethrowable, settleByStatus } from "../src/adapter.ts";
import {
  type AcceptedOutcome,
  type BluumEvent,
  type DeliveryContext,
  type Receiver,
  type ReceiverOptions,
  WebhookError,
} from "../src/index.ts";
import { makeRoom } from "./express-request.ts";
import { atEnd, leaveBody, bluumHandler as nodeHandler, refuseSuccess, sendReply, toDelivery } from "./node.ts";

declare global {
  namespace Express {
    interface Request {
      /** The verified event, behind `bluumWebhooks`. */
      bluumEvent?: BluumEvent;
      /** What is known of the delivery beside its event. */
      bluumDelivery?: DeliveryContext;
    }
  }
}

/** What `bluumWebhooks` attaches to a request, present for a handler that is given to it. */
export interface BluumAttached {
  /** The verified event. */
  bluumEvent: BluumEvent;
  /** What is known of the delivery beside its event. */
  bluumDelivery: DeliveryContext;
}

/** A handler that is given to `bluumWebhooks`: it answers, or passes an error to `next`, throws or rejects. */
export type BluumRequestHandler<Params = Request["params"]> = (
  req: Request<Params> & BluumAttached,
  res: Response,
  next: NextFunction,
) => unknown;

/** On a request that the app may have: fails its event. */
const FAIL: unique symbol = Symbol("bluum-webhooks: fail");

/** What the adapter uses of an Express request, of either major. */
type ExpressRequest = IncomingMessage & Partial<BluumAttached> & { [FAIL]?: Fail };
type Fail = (error: unknown) => Promise<unknown>;
type Next = (error?: unknown) => void;

/**
 * Middleware that lets only genuine, new events through, attaches `req.bluumEvent` and `req.bluumDelivery`, and settles by
 * what the app answers: 2xx is done, anything else is retried. All other deliveries are answered here.
 *
 * With a handler, an error that it throws, rejects with or passes to `next` fails the event, and goes on to the app's error
 * middleware. Whatever that answers, the sender gets no 2xx. This works on Express 4 as well. Without a handler, mount
 * {@link bluumErrors} behind the routes: else an error middleware that answers 2xx makes the event count as processed.
 *
 * @param receiver a receiver, or the options to make one
 * @param handler what to do with an event; by default, the handlers behind this middleware
 * @throws WebhookError `configuration_invalid` if the handler is not a function
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver, async (req, res) => {
 *   if (req.bluumEvent.type === "order.filled") await book(req.bluumEvent.data);
 *   res.sendStatus(204);
 * }));
 */
export function bluumWebhooks<Params = Request["params"]>(
  receiver: Receiver | ReceiverOptions,
  handler?: BluumRequestHandler<Params>,
): (req: IncomingMessage, res: ServerResponse, next: Next) => Promise<void> {
  if (handler !== undefined && typeof handler !== "function") throw handlerInvalid();
  const mounted = receiverOf(receiver);
  return async function bluumExpressMiddleware(req: ExpressRequest, res, next) {
    makeRoom(req);
    const outcome = await mounted.receive(toDelivery(req));
    if (outcome.kind !== "accepted") return sendReply(req, res, replyTo(outcome));
    // First, so that whatever fails from here on is answered and retried.
    atEnd(res, (status) => void settleByStatus(outcome, status));
    req.bluumEvent = outcome.event;
    req.bluumDelivery = outcome.context;
    req[FAIL] = failing(outcome, res, req[FAIL]);
    leaveBody(req, outcome);
    if (handler === undefined) next();
    else await run(handler as AnyHandler, req, res, next);
  };
}

/**
 * Error middleware that fails the event of a request and passes the error on. Mount it behind the routes and before the app's own
 * error middleware. From then on the sender gets no 2xx, whatever the app answers. It leaves other requests alone.
 *
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), handler);
 * app.use(bluumErrors());
 */
export function bluumErrors(): (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: Next,
) => Promise<void> {
  // Express knows error middleware by its four parameters.
  return async function bluumExpressErrors(error, req, _res, next) {
    await bluumFailed(req, error);
    next(error);
  };
}

/**
 * Fails the event of a request behind `bluumWebhooks`, for code that answers errors outside Express's error middleware, such as an
 * exception filter of NestJS. From this call on the sender gets no 2xx. Does nothing on other requests, and on an event that is
 * settled already.
 *
 * @param error what went wrong, for the report
 * @returns a promise that resolves once the claim is released; it never rejects and need not be awaited
 */
export async function bluumFailed(req: IncomingMessage, error: unknown): Promise<void> {
  await (req as ExpressRequest)[FAIL]?.(error);
}

/** Runs the receiver's handlers and answers. The promise never rejects, so Express 4 is safe with it too. */
export function bluumHandler(receiver: Receiver): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const handler = nodeHandler(receiver);
  return function bluumExpressHandler(req, res) {
    makeRoom(req);
    return handler(req, res);
  };
}

/**
 * The event of a request behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` where `bluumWebhooks` did not accept this request
 */
export function bluumEvent(req: IncomingMessage): BluumEvent {
  const event = (req as ExpressRequest).bluumEvent;
  if (event === undefined)
    throw new WebhookError(
      "middleware_missing",
      "bluumEvent(req) was called on a request without bluumWebhooks(receiver) before it",
    );
  return event;
}

/** @param earlier of another receiver that accepted the same request */
function failing(outcome: AcceptedOutcome, res: ServerResponse, earlier: Fail | undefined): Fail {
  return (error) => {
    refuseSuccess(res);
    return Promise.all([outcome.settle("failed", { error }), earlier?.(error)]);
  };
}

type AnyHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => unknown;

/** Runs a handler. Its failure is settled before Express hears of it. */
async function run(handler: AnyHandler, req: IncomingMessage, res: ServerResponse, next: Next): Promise<void> {
  const fail = async (error: unknown) => {
    await bluumFailed(req, error);
    next(error);
  };
  try {
    await handler(req, res, (error) => (isError(error) ? void fail(error) : next(error)));
  } catch (thrown) {
    await fail(isError(thrown) ? thrown : rethrowable(thrown));
  }
}

/** Whether Express takes what is passed to `next` for an error. */
function isError(passed: unknown): boolean {
  return Boolean(passed) && passed !== "route" && passed !== "router";
}

function handlerInvalid(): WebhookError {
  return new WebhookError("configuration_invalid", "the second argument of bluumWebhooks must be a request handler");
}
