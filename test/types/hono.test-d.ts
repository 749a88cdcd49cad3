import { type Context, Hono } from "hono";
import { type BluumVariables, bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/hono.ts";
import type { BluumEvent, BluumOrder, DeliveryContext, Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

// On one route Hono passes the variables on by itself.
new Hono().post("/webhooks/bluum", bluumWebhooks(receiver), async (c) => {
  expectType<Equal<ReturnType<typeof bluumEvent>, BluumEvent>>();
  const event = c.get("bluumEvent");
  if (event.type === "order.filled") expectType<Equal<typeof event.data, BluumOrder>>();
  use(bluumEvent(c), c.get("bluumDelivery").eventKey, c.var.bluumDelivery.eventId);
  return c.body(null, 204);
});

// An app that names them.
const app = new Hono<{ Variables: BluumVariables }>();
app.use("/webhooks/*", bluumWebhooks({ secret: "" }));
app.post("/webhooks/bluum", (c) => {
  const event = c.get("bluumEvent");
  const delivery = c.get("bluumDelivery");
  expectType<Equal<typeof event, BluumEvent>>();
  expectType<Equal<typeof delivery, DeliveryContext>>();
  return c.json({ id: bluumEvent(c).id });
});

// With the app's own variables and bindings.
const busy = new Hono<{ Bindings: { SECRET: string }; Variables: BluumVariables & { user: string } }>();
busy.post("/", bluumWebhooks(receiver), (c) => {
  use(c.env.SECRET, c.get("user"));
  return c.json({ id: bluumEvent(c).id });
});
busy.post("/handled", bluumHandler(receiver));
new Hono().route("/inner", app).post("/", bluumHandler(receiver));

// In a separate function, for any type of context.
function plain(c: Context): BluumEvent {
  return bluumEvent(c);
}
function named(c: Context<{ Variables: { user: string } }>): BluumEvent {
  return bluumEvent(c as Context);
}
use(plain, named);

// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
