import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type BluumEvent,
  type DeliveryContext,
  type Receiver,
  type ReceiverOptions,
  receiverOf,
  replyTo,
  settleByStatus,
  WebhookError,
} from "../src/index.ts";
import { makeRoom } from "./express-request.ts";
import { atEnd, leaveBody, bluumHandler as nodeHandler, sendReply, toDelivery } from "./node.ts";

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

/** What the adapter uses of an Express request, of either major. */
type ExpressRequest = IncomingMessage & { bluumEvent?: BluumEvent; bluumDelivery?: DeliveryContext };
type Next = (error?: unknown) => void;

/**
 * Middleware that lets only genuine, new events through, attaches `req.bluumEvent` and `req.bluumDelivery`, and settles by
 * what the app answers: 2xx is done, anything else is retried. All other deliveries are answered here.
 *
 * @param receiver a receiver, or the options to make one
 * @example
 * app.post("/webhooks/bluum", bluumWebhooks(receiver), (req, res) => {
 *   const event = bluumEvent(req);
 *   res.sendStatus(204);
 * });
 */
export function bluumWebhooks(
  receiver: Receiver | ReceiverOptions,
): (req: IncomingMessage, res: ServerResponse, next: Next) => Promise<void> {
  const mounted = receiverOf(receiver);
  return async function bluumExpressMiddleware(req: ExpressRequest, res, next) {
    makeRoom(req);
    const outcome = await mounted.receive(toDelivery(req));
    if (outcome.kind !== "accepted") return sendReply(req, res, replyTo(outcome));
    // First, so that whatever fails from here on is answered and retried.
    atEnd(res, (status) => void settleByStatus(outcome, status));
    req.bluumEvent = outcome.event;
    req.bluumDelivery = outcome.context;
    leaveBody(req, outcome);
    next();
  };
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
