import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/fastify";
import fastify from "fastify";
import { drive, secret } from "./drive.mjs";

const seen = [];
const receiver = createReceiver({ secret, logger: false }).on("order.*", (event) => seen.push(event.type));
const app = fastify();
app.register(bluumWebhooks({ secret, logger: false }), {
  prefix: "/middleware",
  handler: async (request, reply) => {
    seen.push(bluumEvent(request).type);
    return reply.code(204).send();
  },
});
app.register(bluumHandler(receiver), { prefix: "/handlers" });

await drive(await app.listen({ port: 0, host: "127.0.0.1" }), seen);
await app.close();
