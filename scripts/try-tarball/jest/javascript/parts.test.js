// What else of the package could differ under Jest, which runs tests in a realm of its own.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { runInThisContext } from "node:vm";
import { afterEach, expect, test } from "@jest/globals";
import {
  bluumSignature,
  createReceiver,
  parseEvent,
  standardWebhooksSignature,
  timestampedSignature,
  WebhookError,
} from "bluum-webhooks";
import { bluumEvent, bluumHandler, bluumWebhooks } from "bluum-webhooks/express";
import { bluumHandler as fetchHandler } from "bluum-webhooks/fetch";
import { createSandbox } from "bluum-webhooks/sandbox";
import { sampleEvent, signDelivery, verifyMount } from "bluum-webhooks/testing";
import express from "express";

const secret = "a secret of 16 bytes or more";
const closing = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(app) {
  const server = createServer(app).listen(0, "127.0.0.1");
  closing.push(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

const { exports } = JSON.parse(readFileSync("node_modules/bluum-webhooks/package.json", "utf8"));
const doors = Object.keys(exports).filter((door) => door !== "./package.json");

test.each(doors)("%s can be imported", async (door) => {
  expect(Object.keys(await import(`bluum-webhooks${door.slice(1)}`))).not.toEqual([]);
});

test.each([
  ["a handler", (receiver) => express().post("/", bluumHandler(receiver))],
  [
    "a middleware",
    (receiver, seen) => express().post("/", bluumWebhooks(receiver), (req, res) => answer(req, res, seen)),
  ],
  [
    "express.raw before it",
    (receiver) =>
      express()
        .use(express.raw({ type: "*/*" }))
        .post("/", bluumHandler(receiver)),
  ],
  [
    "a parser that keeps rawBody before it",
    (receiver) =>
      express()
        .use(express.json({ verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }) }))
        .post("/", bluumHandler(receiver)),
  ],
])("%s takes a genuine delivery and no forged one", async (_, make) => {
  const seen = [];
  const receiver = createReceiver({ secret, logger: false }).on("*", (event) => void seen.push(event.type));
  const url = await listening(make(receiver, seen));
  const delivery = signDelivery({ secret, event: sampleEvent("order.filled") });
  expect((await fetch(url, delivery)).status).toBe(200);
  expect((await fetch(url, { ...delivery, body: delivery.body.replace("178.50", "978.50") })).status).toBe(401);
  expect(seen).toEqual(["order.filled"]);
  await verifyMount(url, { secret });
});

function answer(req, res, seen) {
  seen.push(bluumEvent(req).type);
  res.json({ received: true });
}

test("a parser that keeps no bytes is named in the refusal", async () => {
  const receiver = createReceiver({ secret, logger: false }).on("*", () => {});
  const url = await listening(express().use(express.json()).post("/", bluumHandler(receiver)));
  const response = await fetch(url, signDelivery({ secret, event: sampleEvent("order.filled") }));
  expect(await response.json()).toEqual({ error: { code: "body_already_parsed" } });
});

test("bytes of either realm are bytes", async () => {
  const OutsideBytes = runInThisContext("Uint8Array");
  const { headers, body } = signDelivery({ secret, event: sampleEvent("order.filled") });
  const bytes = new TextEncoder().encode(body);
  for (const rawBody of [bytes, Buffer.from(body), OutsideBytes.from(bytes), Uint8Array.from(bytes)]) {
    const receiver = createReceiver({ secret }).on("*", () => {});
    expect(await receiver.handle({ method: "POST", headers, body: () => rawBody })).toMatchObject({ status: 200 });
    expect(parseEvent(rawBody).type).toBe("order.filled");
    expect(signDelivery({ secret, event: rawBody }).headers).toEqual(headers);
  }
});

test.each([
  ["Bluum's", bluumSignature(), secret],
  ["the timestamped", timestampedSignature({ header: "X-Signature" }), secret],
  ["the Standard Webhooks", standardWebhooksSignature(), `whsec_${Buffer.alloc(32, 7).toString("base64")}`],
])("%s signature is made and verified", async (_, scheme, key) => {
  const handle = fetchHandler(createReceiver({ secret: key, scheme }).on("*", () => {}));
  const delivery = signDelivery({ secret: key, scheme, event: sampleEvent("order.filled") });
  expect((await handle(new Request("http://localhost/", delivery))).status).toBe(200);
});

test("a mistake is a WebhookError", () => {
  expect(() => createReceiver({ secret: "short" })).toThrow(WebhookError);
});

test("the sandbox delivers again after a failure", async () => {
  let attempts = 0;
  const receiver = createReceiver({ secret, logger: false }).on("order.filled", () => {
    attempts += 1;
    if (attempts === 1) throw new Error("the database is away");
  });
  const url = await listening(express().post("/", bluumHandler(receiver)));
  const sandbox = await createSandbox();
  closing.push(() => sandbox.close());
  await sandbox.endpoint({ url, secret });
  await sandbox.send("order.filled");
  await sandbox.settled();
  expect(sandbox.deliveries()[0].attempts.map(({ status }) => status)).toEqual([500, 200]);
});
