import { createReceiver } from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/koa";
import Koa from "koa";
import { drive, secret } from "./drive.mjs";

const seen = [];
const receiver = createReceiver({ secret, logger: false }).on("order.*", (event) => seen.push(event.type));
const middleware = bluumWebhooks({ secret, logger: false });
const handlers = bluumHandler(receiver);
const app = new Koa();
app.use((ctx, next) => (ctx.path === "/handlers" ? handlers(ctx, next) : middleware(ctx, next)));
app.use((ctx) => {
  seen.push(bluumEvent(ctx).type);
  ctx.status = 204;
});

const server = app.listen(0, "127.0.0.1", async () => {
  await drive(`http://127.0.0.1:${server.address().port}`, seen);
  server.close();
  server.closeAllConnections();
});
