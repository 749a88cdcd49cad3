import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it } from "vitest";
import {
  createReceiver,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
} from "../../src/index.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { order, post, programsOf } from "./page-programs.ts";

const PAGE = "docs/guides/migrating.md";
const OLD = "the old secret of this endpoint";
const NEW = "the new secret of this endpoint";

describe(`the program of ${PAGE}`, () => {
  const started = programsOf(PAGE);

  it("books an event that comes to both routes once, whichever is first", async () => {
    const app = await started("/old-route", { BLUUM_WEBHOOK_SECRET: NEW, OLD_SECRET: OLD });
    const [fresh, old] = [`${app.url}/webhooks/bluum`, `${app.url}/old-route`];
    const [first, second] = [order("6"), order("7")];
    expect(await post(old, NEW, first)).toBe("401");
    expect(await post(old, OLD, first)).toBe("204");
    expect(await post(fresh, NEW, first)).toBe("200");
    expect(await post(fresh, NEW, second)).toBe("200");
    expect(await post(old, OLD, second)).toBe("204");
    const printed = await app.stop();
    for (const price of ["6", "7"]) expect(printed.match(new RegExp(`filled at ${price}`, "g")), price).toHaveLength(1);
  });
});

describe(`the packages that ${PAGE} replaces`, () => {
  const key = Buffer.from("a key of 32 bytes for the webhook");
  const base64 = key.toString("base64");
  const secret = `whsec_${base64}`;
  const now = new Date();
  const body = JSON.stringify(sampleEvent("order.filled"));
  const { webhooks } = new Stripe("sk_test_none");
  const standard = standardWebhooksSignature();
  const timestamped = timestampedSignature({ header: "X-Bluum-Signature" });

  async function answer(scheme: SignatureScheme, headers: Record<string, string>, text = body) {
    const receiver = createReceiver({ secret, scheme, logger: false });
    const ids: string[] = [];
    receiver.on("*", (event, { identifiedBy }) => void ids.push(`${identifiedBy} ${event.id}`));
    const { status, body: answered } = await receiver.handle({ method: "POST", headers, body: Buffer.from(text) });
    return { status, answered, ids };
  }

  it.each([
    ["standardwebhooks", new StandardWebhook(secret), "webhook"],
    ["standardwebhooks, without whsec_", new StandardWebhook(base64), "webhook"],
    ["standardwebhooks, raw", new StandardWebhook(key, { format: "raw" }), "webhook"],
    ["svix", new SvixWebhook(secret), "svix"],
  ])("%s: what it signs is accepted, under the signed id, and the other way about", async (_, webhook, prefix) => {
    const headers = {
      [`${prefix}-id`]: "msg_1",
      [`${prefix}-timestamp`]: String(Math.floor(now.getTime() / 1_000)),
      [`${prefix}-signature`]: webhook.sign("msg_1", now, body),
    };
    expect(await answer(standard, headers)).toMatchObject({ status: 200, ids: ["scheme msg_1"] });
    const delivery = signDelivery({ secret, scheme: standard, event: sampleEvent("order.filled") });
    expect(webhook.verify(String(delivery.body), delivery.headers)).toMatchObject({ event: "order.filled" });
  });

  it("a secret without whsec_ is refused, and the message says what to write", () => {
    expect(() => createReceiver({ secret: base64, scheme: standard })).toThrow("Put whsec_ before");
  });

  it("stripe: what it signs is accepted, and the other way about", async () => {
    const header = webhooks.generateTestHeaderString({ payload: body, secret });
    expect(await answer(timestamped, { "x-bluum-signature": header })).toMatchObject({ status: 200 });
    const delivery = signDelivery({ secret, scheme: timestamped, event: sampleEvent("order.filled") });
    const given = String(new Headers(delivery.headers).get("x-bluum-signature"));
    expect(webhooks.constructEvent(String(delivery.body), given, secret)).toMatchObject({ event: "order.filled" });
  });

  it("stripe takes a timestamp that is ahead, this package does not", async () => {
    const timestamp = Math.floor(now.getTime() / 1_000) + 3_600;
    const header = webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
    expect(webhooks.constructEvent(body, header, secret)).toMatchObject({ event: "order.filled" });
    const { answered } = await answer(timestamped, { "x-bluum-signature": header });
    expect(answered).toContain("timestamp_out_of_tolerance");
    expect(() => timestampedSignature({ header: "x", toleranceMs: 0 })).toThrow("toleranceMs");
  });

  it("a body without an event is parsed by them, and refused here", async () => {
    const text = JSON.stringify({ object: "nothing" });
    const header = webhooks.generateTestHeaderString({ payload: text, secret });
    expect(webhooks.constructEvent(text, header, secret)).toEqual({ object: "nothing" });
    const { status, answered } = await answer(timestamped, { "x-bluum-signature": header }, text);
    expect([status, answered]).toEqual([400, '{"error":{"code":"payload_not_event"}}']);
  });
});
