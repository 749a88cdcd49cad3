// A plain node:http server: a route that answers without reading, a hand-written one, ours, and the one rival that has an adapter.
import { createServer } from "node:http";
import { createNodeMiddleware } from "@octokit/webhooks";
import { bluumHandler } from "bluum-webhooks/node";
import { verifyAndParse } from "../material/floor.mjs";
import { handlingReceiver, octokitWebhooks } from "./parts.mjs";
import { PATH } from "./path.mjs";

function done(_req, res) {
  res.writeHead(204).end();
}

const answer = JSON.stringify({ received: true });

function doneWithBody(_req, res) {
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) }).end(answer);
}

function byHand(reply) {
  return (req, res) => {
    const chunks = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      verifyAndParse(Buffer.concat(chunks), req.headers["x-bluum-signature"]);
      reply(req, res);
    });
  };
}

export const ROUTES = [
  { name: "by hand", signed: "bluum", listener: () => byHand(done) },
  { name: "by hand again (A/A)", signed: "bluum", listener: () => byHand(done) },
  { name: "answers 204, reads nothing", signed: "bluum", listener: () => done },
  { name: "by hand, with the answer that ours gives", signed: "bluum", listener: () => byHand(doneWithBody) },
  { name: "ours: handler", signed: "bluum", atMost: 1, listener: () => bluumHandler(handlingReceiver()) },
  { name: "octokit", signed: "github", listener: () => createNodeMiddleware(octokitWebhooks(), { path: PATH }) },
].map(({ listener, ...route }) => ({ ...route, framework: "plain node", server: () => createServer(listener()) }));
