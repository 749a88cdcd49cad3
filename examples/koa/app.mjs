// Koa, in the middleware style: you work on the event and set the status, which settles it.
//   npm start
import Router from "@koa/router";
import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumWebhooks } from "bluum-webhooks/koa";
import Koa from "koa";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });

const router = new Router();
router.post("/webhooks/bluum", bluumWebhooks(receiver), async (ctx) => {
  const event = bluumEvent(ctx);
  if (event.type === "order.filled") console.log(`order ${event.data.id} filled at ${event.data.average_price}`);
  ctx.status = 204; // done; anything but 2xx, or a throw, makes Bluum retry
});

const app = new Koa();
app.use(router.routes());

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for events that are at work
  console.log("closed");
});
