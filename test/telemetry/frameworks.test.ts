import type { Server } from "node:http";
import { createServer, type RequestListener } from "node:http";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { type Span, SpanKind, trace } from "@opentelemetry/api";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as onExpress from "../../adapters/express.ts";
import * as onFastify from "../../adapters/fastify.ts";
import * as onHono from "../../adapters/hono.ts";
import * as onKoa from "../../adapters/koa.ts";
import type { Receiver } from "../../src/index.ts";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { type Endpoint, listen, PATH } from "../adapters/contract/sender.ts";
import { FIRST, listInbox } from "../pipeline/list-inbox.ts";
import { bench, signed, until } from "../pipeline/receiving.ts";
import { makeSdk, type Sdk, startGlobally, stopGlobally } from "./sdk.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

/** A framework: how it mounts the receiver's handlers, and how a middleware before a route of the app's. */
interface Framework {
  readonly name: string;
  handler(receiver: Receiver): Promise<Endpoint>;
  middleware(receiver: Receiver, route: () => Promise<void>): Promise<Endpoint>;
}

const serve = (app: RequestListener) => listen(createServer(app));
const serveHono = (app: Hono) => listen(createAdaptorServer(app) as Server);

const FRAMEWORKS: readonly Framework[] = [
  {
    name: "Express",
    handler: (receiver) => serve(express().post(PATH, onExpress.bluumHandler(receiver))),
    middleware: (receiver, route) =>
      serve(
        express().post(PATH, onExpress.bluumWebhooks(receiver), async (_req, res) => {
          await route();
          res.sendStatus(204);
        }),
      ),
  },
  {
    name: "Koa",
    handler: (receiver) => serve(new Koa().use(onKoa.bluumHandler(receiver)).callback()),
    middleware: (receiver, route) =>
      serve(
        new Koa()
          .use(onKoa.bluumWebhooks(receiver))
          .use(async (ctx) => {
            await route();
            ctx.status = 204;
          })
          .callback(),
      ),
  },
  {
    name: "Hono on @hono/node-server",
    handler: (receiver) => serveHono(new Hono().post(PATH, onHono.bluumHandler(receiver))),
    middleware: (receiver, route) =>
      serveHono(
        new Hono().post(PATH, onHono.bluumWebhooks(receiver), async (c) => {
          await route();
          return c.body(null, 204);
        }),
      ),
  },
  {
    name: "Fastify",
    async handler(receiver) {
      const app = fastify();
      app.register(onFastify.bluumHandler(receiver), { prefix: PATH });
      await app.ready();
      return listen(app.server as Server);
    },
    async middleware(receiver, route) {
      const app = fastify();
      app.register(onFastify.bluumWebhooks(receiver), {
        prefix: PATH,
        handler: async (_request, reply) => {
          await route();
          return reply.code(204).send();
        },
      });
      await app.ready();
      return listen(app.server as Server);
    },
  },
];

let sdk: Sdk;
let endpoint: Endpoint | undefined;
let unregister: () => void;
const http = new HttpInstrumentation();

beforeAll(() => {
  unregister = registerInstrumentations({ instrumentations: [http] });
  // Instrumentation patches a module when it is required; the prototypes that it patches are those of all servers.
  createRequire(import.meta.url)("http");
});
afterAll(() => unregister());
beforeEach(() => {
  sdk = makeSdk();
  startGlobally(sdk);
  http.setTracerProvider(sdk.providers.tracerProvider);
});
afterEach(async () => {
  await endpoint?.close();
  stopGlobally();
});

async function deliver(to: Promise<Endpoint>, headers: object = {}): Promise<number> {
  endpoint = await to;
  const delivery = signed();
  const { status } = await endpoint.send({ ...delivery, headers: { ...(delivery.headers as object), ...headers } });
  await until(() => sdk.spans().some(({ kind }) => kind === SpanKind.SERVER), "the end of the request's span");
  return status;
}

function spansOf(namespace: string): {
  request: ReadableSpan;
  send: ReadableSpan;
  processed: ReadableSpan | undefined;
} {
  const request = sdk.spans().find(({ kind }) => kind === SpanKind.SERVER);
  const [send] = sdk.named(`send ${namespace}`);
  if (request === undefined || send === undefined) throw new Error("spans are missing");
  return { request, send, processed: sdk.named(`process ${namespace}`)[0] };
}

const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan | Span | undefined) => span?.spanContext().spanId;

describe.each(FRAMEWORKS)("on $name, under its HTTP instrumentation,", ({ handler, middleware }) => {
  it("a handler's span is under the accepting one, under the request's", async () => {
    const { receiver } = bench({ telemetry: openTelemetry() });
    let inside: Span | undefined;
    receiver.on("order.filled", async () => {
      await sleep(1);
      inside = trace.getActiveSpan();
    });
    expect(await deliver(handler(receiver))).toBe(200);
    const { request, send, processed } = spansOf("default");
    expect([parentOf(send), parentOf(processed)]).toEqual([idOf(request), idOf(send)]);
    expect(idOf(inside)).toBe(idOf(processed));
  });

  it("a route of the app's runs under the request's span, and the delivery's span ends with it", async () => {
    const { receiver } = bench({ telemetry: openTelemetry() });
    let inside: Span | undefined;
    const route = async () => {
      await sleep(1);
      inside = trace.getActiveSpan();
    };
    expect(await deliver(middleware(receiver, route))).toBe(204);
    await until(() => sdk.named("send default").length > 0, "the end of the delivery's span");
    const { request, send } = spansOf("default");
    expect(parentOf(send)).toBe(idOf(request));
    expect(idOf(inside)).toBe(idOf(request));
  });

  it("an inbound traceparent is a link of ours; only the HTTP instrumentation takes it as a parent", async () => {
    const { receiver } = bench({ telemetry: openTelemetry() });
    receiver.on("order.filled", () => {});
    await deliver(handler(receiver), { traceparent: `00-${TRACE}-${SPAN}-01` });
    const { request, send } = spansOf("default");
    expect([parentOf(request), parentOf(send)]).toEqual([SPAN, idOf(request)]);
    expect(send.links.map(({ context }) => context.spanId)).toEqual([SPAN]);
  });

  it("behind an inbox a handler's span is linked to the accepting one", async () => {
    const inbox = listInbox();
    const { receiver } = bench({ telemetry: openTelemetry(), inbox, namespace: "orders-api" });
    receiver.on("order.filled", () => {});
    receiver.work();
    expect(await deliver(handler(receiver))).toBe(200);
    await inbox.worker?.process(inbox.messages[0], FIRST);
    const { request, send, processed } = spansOf("orders-api");
    expect(parentOf(send)).toBe(idOf(request));
    expect(processed?.links.map(({ context }) => context.spanId)).toEqual([idOf(send)]);
    expect(processed?.parentSpanContext).toBeUndefined();
  });
});
