// Koa: what answers without reading, what one would write by hand, and ours. No rival has an adapter for it.
import { createServer } from "node:http";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/koa";
import Koa from "koa";
import getRawBody from "raw-body";
import { verifyAndParse } from "../material/floor.mjs";
import { handlingReceiver, receivingReceiver } from "./parts.mjs";

function done(ctx) {
  ctx.status = 204;
}

async function byHand(ctx) {
  const body = await getRawBody(ctx.req, { limit: "1mb", length: ctx.req.headers["content-length"] });
  verifyAndParse(body, ctx.get("x-bluum-signature"));
  done(ctx);
}

function ourHandler(ctx) {
  bluumEvent(ctx);
  done(ctx);
}

export const ROUTES = [
  { name: "by hand", middleware: () => [byHand] },
  { name: "by hand again (A/A)", middleware: () => [byHand] },
  { name: "answers 204, reads nothing", middleware: () => [done] },
  { name: "ours: middleware", atMost: 1, middleware: () => [bluumWebhooks(receivingReceiver()), ourHandler] },
  { name: "ours: handler", atMost: 1, middleware: () => [bluumHandler(handlingReceiver())] },
].map(({ middleware, ...route }) => ({
  ...route,
  framework: "Koa",
  signed: "bluum",
  server: () => serverOf(middleware()),
}));

function serverOf(middleware) {
  const app = new Koa();
  for (const one of middleware) app.use(one);
  return createServer(app.callback());
}
