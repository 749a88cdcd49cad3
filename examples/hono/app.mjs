// Hono on Node, in the handler style: the receiver routes the events and answers.
//   npm start
import { serve } from "@hono/node-server";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/hono";
import { Hono } from "hono";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });

receiver
  .on("order.filled", (event) => console.log(`order ${event.data.id} filled at ${event.data.average_price}`))
  .on("transfer.*", (event) => console.log(`${event.type}: ${event.data.amount} ${event.data.currency}`));

const app = new Hono();
app.post("/webhooks/bluum", bluumHandler(receiver));
app.get("/health", (c) => c.text("ok"));

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`listening on ${port}`),
);

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for handlers that are at work
  console.log("closed");
});
