// Hono on @hono/node-server: a route that answers without reading, a hand-written one, ours, and the rivals.
import { createAdaptorServer } from "@hono/node-server";
import { createWebMiddleware } from "@octokit/webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/hono";
import { Hono } from "hono";
import Stripe from "stripe";
import { verifyAndParse } from "../material/floor.mjs";
import { SECRET } from "../material/signatures.mjs";
import { handlingReceiver, octokitWebhooks, receivingReceiver } from "./parts.mjs";
import { PATH } from "./path.mjs";

const stripe = new Stripe("sk_test_none");

const done = (c) => c.body(null, 204);

async function byHand(c) {
  verifyAndParse(Buffer.from(await c.req.arrayBuffer()), c.req.header("x-bluum-signature"));
  return done(c);
}

function ourHandler(c) {
  bluumEvent(c);
  return done(c);
}

async function byStripe(c) {
  stripe.webhooks.constructEvent(await c.req.text(), c.req.header("stripe-signature"), SECRET);
  return done(c);
}

function byOctokit() {
  const middleware = createWebMiddleware(octokitWebhooks(), { path: PATH });
  return (c) => middleware(c.req.raw);
}

export const ROUTES = [
  { name: "by hand", signed: "bluum", handlers: () => [byHand] },
  { name: "by hand again (A/A)", signed: "bluum", handlers: () => [byHand] },
  { name: "answers 204, reads nothing", signed: "bluum", handlers: () => [done] },
  {
    name: "ours: middleware",
    signed: "bluum",
    atMost: 1.1,
    handlers: () => [bluumWebhooks(receivingReceiver()), ourHandler],
  },
  { name: "ours: handler", signed: "bluum", atMost: 1.1, handlers: () => [bluumHandler(handlingReceiver())] },
  { name: "stripe constructEvent", signed: "stripe", handlers: () => [byStripe] },
  { name: "octokit", signed: "github", handlers: () => [byOctokit()] },
].map(({ handlers, ...route }) => ({ ...route, framework: "Hono on Node", server: () => serverOf(handlers()) }));

function serverOf(handlers) {
  const app = new Hono();
  app.post(PATH, ...handlers);
  return createAdaptorServer({ fetch: app.fetch });
}
