import { Hono } from "hono";
import { describe, expect, expectTypeOf, it } from "vitest";
import { hmacSignature } from "../../src/schemes/hmac.ts";
import { standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { timestampedSignature } from "../../src/schemes/timestamped.ts";
import { type SignDeliveryOptions, signDelivery } from "../../src/testing/sign.ts";

const SECRET = "a-shared-secret-of-some-length";
const TEXT = '{"event":"order.filled","data":{"id":"ord_1","average_price":"178.50"}}';
// openssl dgst -sha256 -hmac <secret>
const SIGNATURE = "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50";

describe("signDelivery", () => {
  it("signs an object as its JSON, the way Bluum is taken to sign", () => {
    const event = { event: "order.filled", data: { id: "ord_1", average_price: "178.50" } };
    expect(signDelivery({ secret: SECRET, event })).toEqual({
      method: "POST",
      headers: { "content-type": "application/json", "X-Bluum-Signature": SIGNATURE },
      body: TEXT,
    });
  });

  it("signs a string unchanged", () => {
    const delivery = signDelivery({ secret: SECRET, event: TEXT });
    expectTypeOf(delivery.body).toEqualTypeOf<string>();
    expect(delivery).toMatchObject({ headers: { "X-Bluum-Signature": SIGNATURE }, body: TEXT });
  });

  it("signs bytes unchanged and returns them", () => {
    const event = Uint8Array.of(0x22, 0xff, 0x22);
    const delivery = signDelivery({ secret: SECRET, event });
    expectTypeOf(delivery.body).toExtend<Uint8Array>();
    expect(delivery.body).toBe(event);
    const replaced = signDelivery({ secret: SECRET, event: '"\ufffd"' });
    expect(delivery.headers["X-Bluum-Signature"]).not.toBe(replaced.headers["X-Bluum-Signature"]);
  });

  it("accepts an event typed by an interface", () => {
    interface Filled {
      event: "order.filled";
    }
    const event: Filled = { event: "order.filled" };
    expect(signDelivery({ secret: SECRET, event }).body).toBe('{"event":"order.filled"}');
  });

  it("signs with any scheme", () => {
    const scheme = hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" });
    const { headers } = signDelivery({ secret: SECRET, event: TEXT, scheme });
    expect(headers).toEqual({ "content-type": "application/json", "X-Hub-Signature-256": `sha256=${SIGNATURE}` });
  });

  it("signs at the given time, a number or a function", () => {
    const scheme = timestampedSignature({ header: "X-Sig" });
    const at = (now: number | (() => number)): string | undefined =>
      signDelivery({ secret: SECRET, event: TEXT, scheme, now }).headers["X-Sig"];
    expect(at(1_750_000_000_000)).toMatch(/^t=1750000000,v1=/);
    expect(at(() => 1_750_000_000_999)).toBe(at(1_750_000_000_000));
    expect(at(0)).toMatch(/^t=0,/);
  });

  it("signs at the current time by default", () => {
    const scheme = timestampedSignature({ header: "X-Sig" });
    const before = Math.floor(Date.now() / 1_000);
    const { headers } = signDelivery({ secret: SECRET, event: TEXT, scheme });
    const signedAt = Number(headers["X-Sig"]?.match(/^t=(\d+),/)?.[1]);
    expect(signedAt).toBeGreaterThanOrEqual(before);
    expect(signedAt).toBeLessThanOrEqual(Date.now() / 1_000);
  });

  it("signs the message id, given or random", () => {
    const options = { secret: `whsec_${btoa(SECRET)}`, event: TEXT, scheme: standardWebhooksSignature() };
    expect(signDelivery({ ...options, messageId: "msg_1" }).headers["webhook-id"]).toBe("msg_1");
    expect(signDelivery(options).headers["webhook-id"]).toMatch(/^msg_.+/);
  });

  it("is a request that Hono and fetch accept", async () => {
    const app = new Hono().post("/", async (c) =>
      c.json({ body: await c.req.text(), signature: c.req.header("x-bluum-signature") }),
    );
    const delivery = signDelivery({ secret: SECRET, event: TEXT });
    expect(await (await app.request("/", delivery)).json()).toEqual({ body: TEXT, signature: SIGNATURE });
    const raw = signDelivery({ secret: SECRET, event: new TextEncoder().encode(TEXT) });
    expect(await new Request("http://localhost/", raw).text()).toBe(TEXT);
  });

  it.each<[string, unknown]>([
    ["secret", { secret: undefined, event: TEXT }],
    ["secret", { secret: "too short", event: TEXT }],
    ["event", { secret: SECRET, event: undefined }],
    ["event", { secret: SECRET, event: () => TEXT }],
    ["now", { secret: SECRET, event: TEXT, now: Number.NaN }],
    ["now", { secret: SECRET, event: TEXT, now: -1 }],
    ["now", { secret: SECRET, event: TEXT, now: () => Number.POSITIVE_INFINITY }],
    ["now", { secret: SECRET, event: TEXT, now: new Date(0) }],
  ])("names %s when it refuses it", (option, options) => {
    expect(() => signDelivery(options as SignDeliveryOptions<string>)).toThrow(
      expect.objectContaining({
        code: "configuration_invalid",
        message: expect.stringMatching(new RegExp(`^(signDelivery: )?${option}\\b`)),
      }),
    );
  });
});
