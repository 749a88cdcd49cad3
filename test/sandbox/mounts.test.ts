import { createServer, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { bluumHandler as onExpress } from "../../adapters/express.ts";
import { bluumHandler as onFastify } from "../../adapters/fastify.ts";
import { bluumHandler as onHono } from "../../adapters/hono.ts";
import { bluumHandler as onKoa } from "../../adapters/koa.ts";
import { bluumHandler as onNode } from "../../adapters/node.ts";
import { createReceiver, type Receiver } from "../../src/index.ts";
import { FAULTS } from "../../src/sandbox/index.ts";
import { sandboxed, served } from "./endpoints.ts";

const PATH = "/webhooks/bluum";

const MOUNTS: Record<string, (receiver: Receiver) => Server | Promise<Server>> = {
  node: (receiver) => createServer(onNode(receiver)),
  express: (receiver) => createServer(express().post(PATH, onExpress(receiver))),
  koa(receiver) {
    const app = new Koa().use(onKoa(receiver));
    app.silent = true; // Else it logs every connection that was cut.
    return createServer(app.callback());
  },
  hono: (receiver) => createAdaptorServer({ fetch: new Hono().post(PATH, onHono(receiver)).fetch }) as Server,
  async fastify(receiver) {
    const app = fastify();
    await app.register(onFastify(receiver), { prefix: PATH });
    await app.ready();
    return app.server;
  },
};

describe.each(Object.entries(MOUNTS))("a receiver mounted on %s", (_, mount) => {
  it("runs every event of every scenario once with all faults", async () => {
    const sandbox = await sandboxed({ seed: 11, faults: Object.fromEntries(FAULTS.map((fault) => [fault, 0.3])) });
    const seen: string[] = [];
    let id = "";
    const receiver = createReceiver({ secret: () => sandbox.secrets(id), logger: false }).on("*", (_event, context) => {
      seen.push(context.eventKey);
    });
    ({ id } = await sandbox.endpoint({ url: await served(await mount(receiver)) }));
    const scenarios = ["order-filled", "order-rejected", "deposit-completed", "deposit-failed", "document-reviewed"];
    for (const name of scenarios) await sandbox.scenario(name);
    await sandbox.settled();
    const genuine = sandbox.deliveries().filter(({ origin }) => origin === "event");
    expect(genuine).toHaveLength(11);
    expect(new Set(genuine.map(({ state }) => state))).toEqual(new Set(["delivered"]));
    expect(seen).toHaveLength(11);
    expect(new Set(seen).size).toBe(11);
  });
});
