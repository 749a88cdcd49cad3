import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/express";
import express from "express";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET }).on("order.filled", (event) => {
  const price: string | undefined = event.data.average_price;
  return price;
});
const app = express();
app.post("/handlers", bluumHandler(receiver));
app.post("/middleware", bluumWebhooks(receiver), (req, res) => {
  const attached: string | undefined = req.bluumEvent?.id;
  const event = bluumEvent(req);
  if (event.type === "order.filled") console.log(attached, event.data.average_price, req.bluumDelivery?.eventKey);
  // @ts-expect-error misspelt
  if (event.type === "order.filld") console.log();
  res.sendStatus(204);
});
