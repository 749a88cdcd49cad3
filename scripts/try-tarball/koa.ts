import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/koa";
import Koa from "koa";

const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
new Koa().use(bluumHandler(receiver));
new Koa().use(bluumWebhooks(receiver)).use((ctx) => {
  const event = bluumEvent(ctx);
  const attached: string | undefined = ctx.state.bluumEvent?.id;
  if (event.type === "transfer.deposit.completed") console.log(attached, event.data.amount);
  ctx.status = 204;
});
