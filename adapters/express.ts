/**
 * Mounts a receiver on Express 4 and 5.
 *
 * @example
 * import express from "express";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumErrors, bluumEvent, bluumWebhooks } from "bluum-webhooks/express";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * const app = express();
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), async (req, res) => {
 *   console.log(bluumEvent(req).type);
 *   res.sendStatus(204);
 * });
 * app.use(bluumErrors());
 *
 * @module bluum-webhooks/express
 */

import type { IncomingMessage, ServerResponse } from "node:http";
// biome-ignore lint/suspicious/noTsIgnore: with the types installed there is no error to expect
/** @ts-ignore: without @types/express these types are any. */
import type { NextFunction, Request, Response } from "express";
import {
  middlewareMissing,
  middlewareReceiverOf,
  replyTo,
  rethrowable,
  settleByStatus,
  WebhookError,
} from "../src/adapter.ts";
import type { BluumEvent, DeliveryContext, Receiver, ReceiverOptions } from "../src/index.ts";
import { atEnd, leaveBody, refuseSuccess, sendReply, toDelivery } from "./node.ts";

export { bluumHandler } from "./node.ts";

declare global {
  namespace Express {
    interface Request {
      /** The verified event, behind `bluumWebhooks`. */
      bluumEvent?: BluumEvent;
      /** Its delivery: key, raw body, headers, signal. */
      bluumDelivery?: DeliveryContext;
    }
  }
}

/** What `bluumWebhooks` sets on a request, for a handler that is given to it. */
export type BluumAttached = Required<Pick<Express.Request, "bluumEvent" | "bluumDelivery">>;

/** A handler that is given to `bluumWebhooks`: it answers, or passes an error to `next`, throws or rejects. */
export type BluumRequestHandler<Params = Request["params"]> = (
  req: Request<Params> & BluumAttached,
  res: Response,
  next: NextFunction,
) => unknown;

/** The key of a request's `Fail`. */
const FAIL: unique symbol = Symbol("bluum-webhooks: fail");

/** The used parts of an Express request, the same in Express 4 and 5. */
type ExpressRequest = IncomingMessage & Partial<BluumAttached> & { [FAIL]?: Fail };
/** Settles the event of a request as failed. */
type Fail = (error: unknown) => Promise<unknown>;
type Next = (error?: unknown) => void;
type AnyHandler = (req: IncomingMessage, res: ServerResponse, next: Next) => unknown;
type ErrorMiddleware = (error: unknown, req: IncomingMessage, res: ServerResponse, next: Next) => Promise<void>;

/**
 * Middleware that passes on only genuine, new events, as `req.bluumEvent` and `req.bluumDelivery`, and answers all other deliveries.
 * It settles by the status that the app answers: 2xx is processed, anything else is retried.
 *
 * With a handler, an error that it throws, rejects with or passes to `next` fails the event, and goes on to the app's error
 * middleware. Whatever that answers, the sender gets no 2xx. This works on Express 4 as well. Without a handler, mount
 * {@link bluumErrors} behind the routes: otherwise an error middleware that answers 2xx makes the event count as processed.
 *
 * @param receiver a receiver, or the options to make one
 * @param handler handles the event. @default the handlers behind this middleware
 * @throws WebhookError `configuration_invalid` for an invalid option, a receiver with an inbox, or a handler that is no function
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
  if (handler !== undefined && typeof handler !== "function")
    throw new WebhookError("configuration_invalid", "the second argument of bluumWebhooks must be a request handler");
  const mounted = middlewareReceiverOf(receiver);
  return async function bluumExpressMiddleware(req: ExpressRequest, res, next) {
    const outcome = await mounted.receive(toDelivery(req));
    if (outcome.kind !== "accepted") return sendReply(req, res, replyTo(outcome));
    // First, so that an error in the following lines, which Express 5 answers, settles the event.
    atEnd(res, (status) => void settleByStatus(outcome, status));
    req.bluumEvent = outcome.event;
    req.bluumDelivery = outcome.context;
    // Another receiver may have accepted the request before.
    const failBefore = req[FAIL];
    req[FAIL] = (error) => {
      refuseSuccess(res);
      return Promise.all([outcome.settle("failed", { error }), failBefore?.(error)]);
    };
    leaveBody(req, outcome);
    if (handler === undefined) next();
    else await run(handler as AnyHandler, req, res, next);
  };
}

/**
 * Error middleware that fails the event of a request and passes the error on. Mount it behind the routes and before the app's own
 * error middleware. From then on the sender gets no 2xx, whatever the app answers. Other requests are not affected.
 *
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), handler);
 * app.use(bluumErrors());
 */
export function bluumErrors(): ErrorMiddleware {
  // All four parameters: Express recognises error middleware by their number.
  return function bluumExpressErrors(error, req, _res, next) {
    return fail(req, error, next);
  };
}

/**
 * Fails the event of a request behind `bluumWebhooks`, for code that answers errors outside Express's error middleware, such as an
 * exception filter of NestJS. From this call on the sender gets no 2xx. Does nothing on other requests, and if the event is settled
 * already.
 *
 * @param error what went wrong, for the report
 * @returns a promise that resolves once the claim is released; it never rejects and need not be awaited
 */
export async function bluumFailed(req: IncomingMessage, error: unknown): Promise<void> {
  await (req as ExpressRequest)[FAIL]?.(error);
}

/**
 * The event of a request behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` if `bluumWebhooks` did not accept this request
 */
export function bluumEvent(req: IncomingMessage): BluumEvent {
  const { bluumEvent: event } = req as ExpressRequest;
  if (event === undefined) throw middlewareMissing("bluumEvent(req)");
  return event;
}

/** Runs a handler, and fails the event if the handler fails. */
async function run(handler: AnyHandler, req: IncomingMessage, res: ServerResponse, next: Next): Promise<void> {
  try {
    await handler(req, res, (error) => (isError(error) ? void fail(req, error, next) : next(error)));
  } catch (thrown) {
    await fail(req, isError(thrown) ? thrown : rethrowable(thrown), next);
  }
}

/** Settles the event before Express gets the error. */
async function fail(req: IncomingMessage, error: unknown, next: Next): Promise<void> {
  await bluumFailed(req, error);
  next(error);
}

/** Whether Express takes the argument of `next` for an error. */
function isError(passed: unknown): boolean {
  return Boolean(passed) && passed !== "route" && passed !== "router";
}
