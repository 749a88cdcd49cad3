// Express, in the handler style: the receiver routes the events and answers.
//   npm start
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import express from "express";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });

receiver
  .on("order.filled", (event) => console.log(`order ${event.data.id} filled at ${event.data.average_price}`))
  .on("transfer.*", (event) => console.log(`${event.type}: ${event.data.amount} ${event.data.currency}`));

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
app.use(express.json()); // behind the webhook, which needs the bytes as they came
app.get("/health", (_req, res) => res.send("ok"));

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for handlers that are at work
  console.log("closed");
});
