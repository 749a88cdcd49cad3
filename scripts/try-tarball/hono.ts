import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/hono";
import { Hono } from "hono";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
const app = new Hono();
app.post("/handlers", bluumHandler(receiver));
app.post("/middleware", bluumWebhooks(receiver), (c) => {
  const attached: string = c.get("bluumEvent").id;
  const event = bluumEvent(c);
  if (event.type === "order.filled") console.log(attached, event.data.average_price);
  return c.body(null, 204);
});
