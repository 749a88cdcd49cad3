import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/fastify";
import fastify from "fastify";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
const app = fastify();
app.register(bluumHandler(receiver), { prefix: "/handlers" });
app.register(bluumWebhooks(receiver), {
  prefix: "/middleware",
  handler: async (request, reply) => {
    const event = bluumEvent(request);
    const attached: string | undefined = request.bluumEvent?.id;
    if (event.type === "transfer.deposit.completed") console.log(attached, event.data.amount);
    return reply.code(204).send();
  },
});
