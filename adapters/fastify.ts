import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  RouteHandlerMethod,
  RouteShorthandOptionsWithHandler,
} from "fastify";
import { isBytes, isSuccess, receiverOf, refusal, replyTo, rethrowable, settleByStatus } from "../src/adapter.ts";
import {
  type AcceptedOutcome,
  type BluumEvent,
  type DeliveryContext,
  type Receiver,
  type ReceiverOptions,
  type Reply,
  WebhookError,
} from "../src/index.ts";
import { atEnd, leaveBody, refuseSuccess, sendReply, toDelivery } from "./node.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The verified event, behind `bluumWebhooks`. */
    bluumEvent?: BluumEvent;
    /** What is known of the delivery beside its event. */
    bluumDelivery?: DeliveryContext;
  }
}

/**
 * A plugin with one route, for your own handler: only genuine, new events reach it, with `request.bluumEvent` and
 * `request.bluumDelivery`. It settles by the status of the answer: 2xx is done; anything else, or an error whatever
 * `setErrorHandler` made of it, is retried. All other deliveries are answered here. The plugin is encapsulated: what it does to
 * content types stays inside.
 *
 * Its options are the path, as `prefix`, the `handler`, and whatever else a route of Fastify takes.
 *
 * @param receiver a receiver, or the options to make one
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
  const mounted = receiverOf(receiver);
  return async function bluumFastifyWebhooks(scope, { handler, onSend = [], ...route }) {
    if (typeof handler !== "function") throw handlerMissing();
    leaveStreamsAlone(scope);
    scope.addHook("preValidation", async (request, reply) => {
      const outcome = await mounted.receive(toDelivery(request.raw));
      if (outcome.kind === "accepted") pass(request, reply, outcome);
      else answer(request, reply, replyTo(outcome));
    });
    scope.addHook("onError", async (request, reply, error) => noteFailure(request, reply, error));
    // Settles after the hooks that may still change the status.
    scope.post("/", { ...route, onSend: [onSend, settleBeforeSend].flat(), handler: answeringTheGone(handler) });
    const others = scope.supportedMethods.filter((method) => method !== "POST");
    // Never comes to its handler: the receiver refuses these methods.
    scope.route({ method: others, url: "/", handler: async () => {} });
  };
}

/**
 * A plugin with one route, on which the receiver's handlers run and it answers. Its only option is the path, as `prefix`.
 *
 * @example
 * app.register(bluumHandler(receiver), { prefix: "/webhooks/bluum" });
 */
export function bluumHandler(receiver: Receiver): FastifyPluginAsync {
  return async function bluumFastifyHandler(scope) {
    leaveStreamsAlone(scope);
    scope.all("/", async (request, reply) => {
      answer(request, reply, await receiver.handle(toDelivery(request.raw)));
    });
  };
}

/**
 * The event of a request behind `bluumWebhooks`; never undefined.
 *
 * @throws WebhookError `middleware_missing` where `bluumWebhooks` did not accept this request
 */
export function bluumEvent(request: { readonly bluumEvent?: BluumEvent }): BluumEvent {
  const { bluumEvent: event } = request;
  if (event === undefined)
    throw new WebhookError(
      "middleware_missing",
      "bluumEvent(request) was called on a request that did not come through the plugin bluumWebhooks(receiver)",
    );
  return event;
}

/** On a request that the handler may have. */
const PASSED: unique symbol = Symbol("bluum-webhooks: accepted");

interface Passed {
  readonly outcome: AcceptedOutcome;
  /** An error that the app raised on the way to an answer. */
  failure?: { readonly error: unknown };
}

type PassedRequest = FastifyRequest & { [PASSED]?: Passed };

function handlerMissing(): WebhookError {
  return new WebhookError(
    "configuration_invalid",
    'bluumWebhooks needs a handler: app.register(bluumWebhooks(receiver), { prefix: "/webhooks/bluum", handler })',
  );
}

/** Fastify would parse or refuse a body by its content type. In this scope and nowhere else, it reads none. */
function leaveStreamsAlone(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
}

function pass(request: FastifyRequest, { raw: res }: FastifyReply, outcome: AcceptedOutcome): void {
  const passed: Passed = { outcome };
  (request as PassedRequest)[PASSED] = passed;
  request.bluumEvent = outcome.event;
  request.bluumDelivery = outcome.context;
  request.body = outcome.event.payload;
  leaveBody(request.raw, outcome);
  // Whatever ends the response without coming past the hook: a stream, reply.raw, the app's 404.
  atEnd(res, (status) => void settle(passed, status));
}

function answer({ raw: req }: FastifyRequest, reply: FastifyReply, ours: Reply): void {
  reply.hijack();
  sendReply(req, reply.raw, ours);
}

function noteFailure({ [PASSED]: passed }: PassedRequest, { raw: res }: FastifyReply, error: unknown): void {
  if (passed === undefined) return;
  passed.failure = { error };
  // Past the hook, too: an error handler may answer by reply.raw.
  refuseSuccess(res);
}

/** Settles before the answer leaves, where all of it is known by then. */
async function settleBeforeSend(request: PassedRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const passed = request[PASSED];
  // A stream may still fail, and a Response has a status of its own.
  const whole = payload === undefined || payload === null || typeof payload === "string" || isBytes(payload);
  if (passed === undefined || !(whole || passed.failure)) return payload;
  // An error handler that answers 2xx would tell the provider to forget an event whose handler failed.
  const refused = passed.failure && (!whole || isSuccess(reply.statusCode)) ? refusal("handler_failed") : undefined;
  const overruled = (await settle(passed, refused?.status ?? reply.statusCode)) ?? refused;
  if (overruled === undefined) return payload;
  for (const name in reply.getHeaders()) reply.removeHeader(name);
  reply.code(overruled.status).headers(overruled.headers);
  return overruled.body;
}

/** @returns the reply that must take the place of the app's own 2xx */
async function settle({ outcome, failure }: Passed, status: number): Promise<Reply | undefined> {
  if (failure === undefined) return settleByStatus(outcome, status);
  await outcome.settle("failed", { status, error: failure.error });
  return undefined;
}

/**
 * Fastify answers what an async handler resolves with; but where that is nothing and the sender has left it answers nothing, and
 * the result of the work would be lost.
 */
function answeringTheGone(handler: RouteHandlerMethod): RouteHandlerMethod {
  const fail = (thrown: unknown): never => {
    throw rethrowable(thrown);
  };
  return function bluumFastifyRoute(request, reply) {
    try {
      const result: unknown = handler.call(this, request, reply);
      if (!isThenable(result)) return result;
      return result.then((payload) => (payload === undefined && isUnanswered(reply) ? reply.send() : payload), fail);
    } catch (thrown) {
      return fail(thrown);
    }
  };
}

function isUnanswered(reply: FastifyReply): boolean {
  return !reply.sent && !reply.raw.headersSent;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === "function";
}
