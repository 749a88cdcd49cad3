import Koa, { type Context } from "koa";
import { type BluumState, bluumEvent, bluumHandler, bluumWebhooks } from "../../adapters/koa.ts";
import type { BluumEvent, BluumOrder, DeliveryContext, Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;

// An app that says nothing of its state.
new Koa()
  .use(bluumWebhooks(receiver))
  .use(bluumHandler(receiver))
  .use(async (ctx, next) => {
    expectType<Equal<ReturnType<typeof bluumEvent>, BluumEvent>>();
    const event = bluumEvent(ctx);
    if (event.type === "order.filled") expectType<Equal<typeof event.data, BluumOrder>>();
    ctx.status = 204;
    await next();
  });

// An app that names its state: behind the middleware it has the event.
new Koa<BluumState>().use(bluumWebhooks({ secret: "" })).use((ctx) => {
  expectType<Equal<typeof ctx.state.bluumEvent, BluumEvent | undefined>>();
  expectType<Equal<typeof ctx.state.bluumDelivery, DeliveryContext | undefined>>();
  use(bluumEvent(ctx));
});

// An app with a state and a context of its own.
interface Session {
  user?: string;
}
new Koa<Session & BluumState, { log: () => void }>().use(bluumWebhooks(receiver)).use((ctx) => {
  use(ctx.state.user, ctx.log, bluumEvent(ctx));
});

function any(ctx: Context): BluumEvent {
  return bluumEvent(ctx);
}
use(any);

// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
