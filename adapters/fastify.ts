/**
 * Mounts a receiver on Fastify 5.
 *
 * @example
 * import fastify from "fastify";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumEvent, bluumWebhooks } from "bluum-webhooks/fastify";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * const app = fastify();
 * app.register(bluumWebhooks(receiver), {
 *   prefix: "/webhooks/bluum",
 *   handler: async (request, reply) => {
 *     console.log(bluumEvent(request).type);
 *     return reply.code(204).send();
 *   },
 * });
 *
 * @module bluum-webhooks/fastify
 */

import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  RouteHandlerMethod,
  RouteShorthandOptionsWithHandler,
} from "fastify";
import {
  isBytes,
  isSuccess,
  middlewareMissing,
  middlewareReceiverOf,
  refusal,
  replyTo,
  rethrowable,
  settleByStatus,
  WebhookError,
} from "../src/adapter.ts";
import type { AcceptedOutcome, BluumEvent, DeliveryContext, Receiver, ReceiverOptions, Reply } from "../src/index.ts";
import { atEnd, leaveBody, refuseSuccess, sendReply, toDelivery } from "./node.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The verified event, behind `bluumWebhooks`. */
    bluumEvent?: BluumEvent;
    /** Its delivery: key, raw body, headers, signal. */
    bluumDelivery?: DeliveryContext;
  }
}

/**
 * A plugin with one route, for a handler of your own: it gets only genuine, new events, as `request.bluumEvent` and
 * `request.bluumDelivery`. All other deliveries are answered here. It settles by the status of the answer: 2xx is processed. Anything
 * else is retried, and so is an error, whatever `setErrorHandler` answers. The plugin is encapsulated: other routes keep their
 * content type parsers.
 *
 * Its options are the path, as `prefix`, the `handler`, and all other options of a Fastify route.
 *
 * @param receiver a receiver, or the options to make one
 * @throws WebhookError `configuration_invalid` for an invalid option, or a receiver with an inbox
 * @example
 * app.register(bluumWebhooks(receiver), {
 *   prefix: "/webhooks/bluum",
 *   handler: async (request, reply) => {
 *     const event = bluumEvent(request);
 *     return reply.code(204).send();
 *   },
 * });
 */
export function bluumWebhooks(
  receiver: Receiver | ReceiverOptions,
): FastifyPluginAsync<RouteShorthandOptionsWithHandler> {
  const mounted = middlewareReceiverOf(receiver);
  return async function bluumFastifyWebhooks(scope, { handler, onSend = [], ...route }) {
    if (typeof handler !== "function") throw new WebhookError("configuration_invalid", HANDLER_MISSING);
    disableBodyParsing(scope);
    scope.addHook("preValidation", async (request, reply) => {
      const outcome = await mounted.receive(toDelivery(request.raw));
      if (outcome.kind === "accepted") accept(request, reply, outcome);
      else answer(request, reply, replyTo(outcome));
    });
    scope.addHook("onError", async (request, reply, error) => noteFailure(request, reply, error));
    // Behind the app's own hooks, which may change the status.
    scope.post("/", { ...route, onSend: [onSend, settleBeforeSend].flat(), handler: alwaysAnswering(handler) });
    const others = scope.supportedMethods.filter((method) => method !== "POST");
    // The receiver refuses these methods before the handler.
    scope.route({ method: others, url: "/", handler: async () => {} });
  };
}

/**
 * A plugin with one route, which runs the receiver's handlers, settles, and answers. Its only option is the path, as `prefix`.
 *
 * @example
 * app.register(bluumHandler(receiver), { prefix: "/webhooks/bluum" });
 */
export function bluumHandler(receiver: Receiver): FastifyPluginAsync {
  return async function bluumFastifyHandler(scope) {
    disableBodyParsing(scope);
    scope.all("/", async (request, reply) => {
      answer(request, reply, await receiver.handle(toDelivery(request.raw)));
    });
  };
}

/**
 * The event of a request behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` if `bluumWebhooks` did not accept this request
 */
export function bluumEvent(request: { readonly bluumEvent?: BluumEvent }): BluumEvent {
  const { bluumEvent: event } = request;
  if (event === undefined) throw middlewareMissing("bluumEvent(request)");
  return event;
}

const HANDLER_MISSING =
  'bluumWebhooks needs a handler: app.register(bluumWebhooks(receiver), { prefix: "/webhooks/bluum", handler })';

/** The key of an accepted request's state. */
const ACCEPTED: unique symbol = Symbol("bluum-webhooks: accepted");

interface Accepted {
  readonly outcome: AcceptedOutcome;
  /** An error that the app raised before it answered. */
  failure?: { readonly error: unknown };
}

type AcceptedRequest = FastifyRequest & { [ACCEPTED]?: Accepted };

/** Fastify would parse or refuse a body by its content type. In this scope only, it reads none. */
function disableBodyParsing(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
}

function accept(request: FastifyRequest, { raw: res }: FastifyReply, outcome: AcceptedOutcome): void {
  const accepted: Accepted = { outcome };
  (request as AcceptedRequest)[ACCEPTED] = accepted;
  request.bluumEvent = outcome.event;
  request.bluumDelivery = outcome.context;
  request.body = outcome.event.payload;
  leaveBody(request.raw, outcome);
  // For answers that do not pass the onSend hook: a stream, reply.raw, the app's 404.
  atEnd(res, (status) => void settle(accepted, status));
}

function answer({ raw: req }: FastifyRequest, reply: FastifyReply, ours: Reply): void {
  reply.hijack();
  sendReply(req, reply.raw, ours);
}

function noteFailure({ [ACCEPTED]: accepted }: AcceptedRequest, { raw: res }: FastifyReply, error: unknown): void {
  if (accepted === undefined) return;
  accepted.failure = { error };
  // An error handler may answer by reply.raw, past the onSend hook.
  refuseSuccess(res);
}

/** Settles before the answer is sent, if all of it is known by then. */
async function settleBeforeSend(request: AcceptedRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const accepted = request[ACCEPTED];
  // A stream may still fail, and a Response has a status of its own.
  const isComplete = payload === undefined || payload === null || typeof payload === "string" || isBytes(payload);
  if (accepted === undefined) return payload;
  // Plugins may have added an onSend hook behind this one.
  if (!isSuccess(reply.statusCode)) refuseSuccess(reply.raw);
  if (!isComplete && !accepted.failure) return payload;
  // A 2xx of the error handler would acknowledge an event whose handler failed.
  const refused =
    accepted.failure && (!isComplete || isSuccess(reply.statusCode)) ? refusal("handler_failed") : undefined;
  const overruled = (await settle(accepted, refused?.status ?? reply.statusCode)) ?? refused;
  if (overruled === undefined) return payload;
  refuseSuccess(reply.raw, overruled);
  for (const name in reply.getHeaders()) reply.removeHeader(name);
  reply.code(overruled.status).headers(overruled.headers);
  return overruled.body;
}

/** @returns the reply that replaces the app's own 2xx */
async function settle({ outcome, failure }: Accepted, status: number): Promise<Reply | undefined> {
  if (failure === undefined) return settleByStatus(outcome, status);
  await outcome.settle("failed", { status, error: failure.error });
  return undefined;
}

/**
 * Fastify sends the result of an async handler. But if the result is undefined and the sender has disconnected, it sends nothing,
 * and the event would not be settled.
 */
function alwaysAnswering(handler: RouteHandlerMethod): RouteHandlerMethod {
  return function bluumFastifyRoute(request, reply) {
    const answered = () => reply.sent || reply.raw.headersSent;
    const fail = (thrown: unknown): never => {
      throw rethrowable(thrown);
    };
    try {
      const result = handler.call(this, request, reply) as PromiseLike<unknown> | undefined;
      if (typeof result?.then !== "function") return result;
      return result.then((payload) => (payload === undefined && !answered() ? reply.send() : payload), fail);
    } catch (thrown) {
      return fail(thrown);
    }
  };
}
