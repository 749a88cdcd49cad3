// One server in its own process, so that its memory is that of the bodies that it reads. Argument: the name of the server.
// On the message "measure" it answers with the memory that it has taken since it began to listen.
import { subscribe } from "node:diagnostics_channel";
import { createServer } from "node:http";
import { register } from "node:module";

if (!process.features.typescript) register("../../storm/typescript-loader.mjs", import.meta.url);

const { createReceiver } = await import("../../../src/index.ts");

// Long enough for a slow machine: no body may time out.
const LIMITS = { bodyTimeoutMs: 120_000 };
const receiver = createReceiver({ secret: "the-secret-of-the-flood-0123456789", logger: false, ...LIMITS });
receiver.on("*", () => {});
const door = (name) => import(`../../../adapters/${name}.ts`);

const servers = {
  node,
  "node over HTTP/2": http2,
  express,
  koa,
  fastify,
  fetch,
  hono,
  "the command line's listen": listen,
  "the sandbox": sandbox,
};
const sockets = new Set();
subscribe("net.server.socket", ({ socket }) => sockets.add(socket));
const { port, path = "/webhooks/bluum" } = await servers[process.argv[2]]();

globalThis.gc();
const before = memory();
let most = before;
setInterval(() => {
  most = greater(most, memory());
}, 20);
process.on("message", () => {
  const taken = greater(most, memory());
  const received = [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  process.send({ received, rss: taken.rss - before.rss, used: taken.used - before.used });
});
process.on("disconnect", () => process.exit());
process.send({ port, path });

function memory() {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, used: heapUsed + external };
}

function greater(one, other) {
  return { rss: Math.max(one.rss, other.rss), used: Math.max(one.used, other.used) };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ port: server.address().port })));
}

async function node() {
  const { bluumHandler } = await door("node");
  return listening(createServer(bluumHandler(receiver)));
}

async function http2() {
  const { createServer } = await import("node:http2");
  const { bluumHandler } = await door("node");
  return listening(createServer(bluumHandler(receiver)));
}

async function express() {
  const { default: createApp } = await import("express");
  const { bluumHandler } = await door("express");
  return listening(createServer(createApp().post("/webhooks/bluum", bluumHandler(receiver))));
}

async function koa() {
  const { default: Koa } = await import("koa");
  const { bluumHandler } = await door("koa");
  return listening(createServer(new Koa().use(bluumHandler(receiver)).callback()));
}

async function fastify() {
  const { default: createApp } = await import("fastify");
  const { bluumHandler } = await door("fastify");
  const app = createApp();
  app.register(bluumHandler(receiver), { prefix: "/webhooks/bluum" });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { port: app.server.address().port };
}

async function fetch() {
  const { createAdaptorServer } = await import("@hono/node-server");
  const { bluumHandler } = await door("fetch");
  return listening(createAdaptorServer({ fetch: (request) => bluumHandler(receiver)(request) }));
}

async function hono() {
  const { createAdaptorServer } = await import("@hono/node-server");
  const { Hono } = await import("hono");
  const { bluumHandler } = await door("hono");
  return listening(createAdaptorServer(new Hono().post("/webhooks/bluum", bluumHandler(receiver))));
}

/** `bluum-webhooks listen`. */
async function listen() {
  const { requestHandler } = await import("../../../src/cli/listen/request-handler.ts");
  const { deliveryCheck } = await import("../../../src/cli/listen/check-delivery.ts");
  const { bluumSignature } = await import("../../../src/index.ts");
  const checkDelivery = deliveryCheck(["the-secret-of-the-flood-0123456789"], bluumSignature());
  return listening(createServer(requestHandler({ host: "127.0.0.1", path: "/webhooks/bluum", checkDelivery })));
}

async function sandbox() {
  const { createSandbox } = await import("../../../src/sandbox/index.ts");
  const { url } = await createSandbox();
  return { port: Number(new URL(url).port), path: "/_inspector/events" };
}
