// Express: a route that answers without reading, a hand-written one, ours, and the rivals. An app for each route, so that none
// stands behind others in the router.
import { createServer } from "node:http";
import { createWebhookMiddleware } from "@hookflo/tern/express";
import { createNodeMiddleware } from "@octokit/webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/express";
import express from "express";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { verifyAndParse } from "../material/floor.mjs";
import { SECRET } from "../material/signatures.mjs";
import { handlingReceiver, octokitWebhooks, receivingReceiver } from "./parts.mjs";
import { PATH } from "./path.mjs";

const stripe = new Stripe("sk_test_none");
const svix = new SvixWebhook(SECRET);
const raw = express.raw({ type: () => true, limit: "1mb" });

const done = (_req, res) => res.status(204).end();

function byHand(req, res) {
  verifyAndParse(req.body, req.headers["x-bluum-signature"]);
  done(req, res);
}

function ourHandler(req, res) {
  bluumEvent(req);
  done(req, res);
}

function byStripe(req, res) {
  stripe.webhooks.constructEvent(req.body, req.headers["stripe-signature"], SECRET);
  done(req, res);
}

function bySvix(req, res) {
  svix.verify(req.body, req.headers);
  done(req, res);
}

export const ROUTES = [
  { name: "by hand", signed: "bluum", handlers: () => [raw, byHand] },
  { name: "by hand again (A/A)", signed: "bluum", handlers: () => [raw, byHand] },
  { name: "answers 204, reads nothing", signed: "bluum", handlers: () => [done] },
  {
    name: "ours: middleware",
    signed: "bluum",
    atMost: 1,
    handlers: () => [bluumWebhooks(receivingReceiver()), ourHandler],
  },
  { name: "ours: handler", signed: "bluum", atMost: 1, handlers: () => [bluumHandler(handlingReceiver())] },
  { name: "stripe constructEvent", signed: "stripe", handlers: () => [raw, byStripe] },
  { name: "octokit", signed: "github", handlers: () => [createNodeMiddleware(octokitWebhooks(), { path: PATH })] },
  { name: "svix", signed: "svix", handlers: () => [raw, bySvix] },
  {
    name: "tern",
    signed: "github",
    handlers: () => [raw, createWebhookMiddleware({ platform: "github", secret: SECRET }), done],
  },
].map(({ handlers, ...route }) => ({ ...route, framework: "Express", server: () => serverOf(handlers()) }));

function serverOf(handlers) {
  const app = express();
  app.post(PATH, ...handlers);
  return createServer(app);
}
