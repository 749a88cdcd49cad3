import Fastify, { type FastifyRequest, type RouteHandlerMethod } from "fastify";
import { bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/fastify.ts";
import type { BluumEvent, BluumOrder, DeliveryContext, Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

const app = Fastify();

app.register(bluumWebhooks(receiver), {
  prefix: "/webhooks/bluum",
  handler: async (request, reply) => {
    // Fastify knows what stands on its request, and that it is not there on every route.
    expectType<Equal<typeof request.bluumEvent, BluumEvent | undefined>>();
    expectType<Equal<typeof request.bluumDelivery, DeliveryContext | undefined>>();
    // @ts-expect-error it may be missing
    use(request.bluumEvent.type);

    const event = bluumEvent(request);
    expectType<Equal<typeof event, BluumEvent>>();
    if (event.type === "order.filled") expectType<Equal<typeof event.data, BluumOrder>>();
    return reply.code(204).send();
  },
});

// Other route options, and a handler that returns no promise.
const handler: RouteHandlerMethod = (request, reply) => void reply.send(bluumEvent(request).id);
app.register(bluumWebhooks({ secret: "", maxBodyBytes: 1 }), {
  prefix: "/:tenant",
  logLevel: "warn",
  config: {},
  onRequest: async () => {},
  onSend: [async () => {}],
  handler,
});

app.register(bluumHandler(receiver), { prefix: "/webhooks/bluum" });
app.register(bluumHandler(receiver));

// Apps with another server.
Fastify({ http2: true }).register(bluumHandler(receiver)).register(bluumWebhooks(receiver), { handler });
Fastify({ https: {} }).register(bluumHandler(receiver)).register(bluumWebhooks(receiver), { handler });
Fastify({ logger: true }).register(async (scope) => {
  scope.register(bluumWebhooks(receiver), { handler });
});

// Other parameters of the request change nothing.
function typed(request: FastifyRequest<{ Params: { tenant: string }; Body: { a: number } }>): BluumEvent {
  return bluumEvent(request);
}
use(typed);

// @ts-expect-error the plugin needs a handler
app.register(bluumWebhooks(receiver), { prefix: "/webhooks/bluum" });
// @ts-expect-error the receiver's handlers need a receiver that has them
bluumHandler({ secret: "" });
// @ts-expect-error no such option
bluumWebhooks({ secret: "", maxBodySize: 1 });
