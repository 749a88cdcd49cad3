import { createServer } from "node:http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import {
  bluumSignature,
  createReceiver,
  hmacSignature,
  type ReceiverOptions,
  standardWebhooksSignature,
  timestampedSignature,
} from "../../src/index.ts";
import { drawFaults, FAULTS, type Fault, faultMix } from "../../src/sandbox/deliveries/faults.ts";
import type { SandboxOptions } from "../../src/sandbox/index.ts";
import { randomFrom } from "../../src/sandbox/random.ts";
import { forgeriesOf } from "../../src/sandbox/signing/forgeries.ts";
import { recordingEndpoint, sandboxed, served, statuses } from "./endpoints.ts";

const SCHEMES = {
  bluum: bluumSignature(),
  hmac: hmacSignature({ header: "X-Signature", encoding: "base64", secretEncoding: "base64", prefix: "sha256=" }),
  timestamped: timestampedSignature({ header: "Stripe-Signature" }),
  "standard-webhooks": standardWebhooksSignature(),
};

/** A sandbox with a real receiver; `ran` has the order ids that its handler ran for. */
async function receiving(options: SandboxOptions, receiverOptions: Partial<ReceiverOptions> = {}) {
  const sandbox = await sandboxed({ seed: 7, ...options });
  const ran: string[] = [];
  let id = "";
  const receiver = createReceiver({
    ...{ secret: () => sandbox.secrets(id), logger: false, ...(options.scheme && { scheme: options.scheme }) },
    ...receiverOptions,
  }).on("order.filled", async (event) => {
    ran.push(event.data.id);
    await new Promise(setImmediate);
  });
  const url = await served(createServer(bluumHandler(receiver)));
  ({ id } = await sandbox.endpoint({ url }));
  return { sandbox, ran, id };
}

describe("with every fault", () => {
  const each = [...FAULTS.map((fault) => [fault, [fault]] as const), ["all of them", FAULTS] as const];

  it.each(each)("a receiver runs each event once: %s", async (_, faults) => {
    const { sandbox, ran } = await receiving({ faults });
    const ids = Array.from({ length: 5 }, (_, place) => `ord_${place}`);
    for (const id of ids) await sandbox.send("order.filled", { data: { id } });
    await sandbox.settled();
    expect(ran.toSorted()).toEqual(ids);
    const genuine = sandbox.deliveries().filter(({ origin }) => origin === "event");
    expect(genuine.map(({ state }) => state)).toEqual(ids.map(() => "delivered"));
  });

  it.each(Object.entries(SCHEMES))("a receiver runs each event of a seeded mix once, under %s", async (_, scheme) => {
    const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0.3]));
    const { sandbox, ran } = await receiving({ faults, scheme });
    const ids = Array.from({ length: 30 }, (_, place) => `ord_${String(place).padStart(2, "0")}`);
    for (const id of ids) await sandbox.send("order.filled", { data: { id } });
    await sandbox.settled();
    expect(ran.toSorted()).toEqual(ids);
    const forged = sandbox.deliveries().filter(({ origin }) => origin === "forged");
    expect(forged.length).toBeGreaterThan(0);
    expect(new Set(forged.map(({ attempts }) => attempts[0]?.status))).toEqual(new Set([401]));
  });
});

describe("a fault", () => {
  it("affects the same deliveries for the same seed", () => {
    const numbers = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const draw = (seed: number) => {
      const random = randomFrom(seed);
      return Array.from({ length: 20 }, () => drawFaults(faultMix({ slow: 0.5, duplicate: 0.5 }), random));
    };
    fc.assert(
      fc.property(numbers, (seed) => {
        expect(draw(seed)).toEqual(draw(seed));
      }),
    );
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("occurs with its probability, at most one for each connection", () => {
    const random = randomFrom(3);
    const mix = faultMix({ duplicate: 0.25, slow: 1, cut_after: 1 });
    const drawn = Array.from({ length: 4_000 }, () => drawFaults(mix, random));
    const count = (fault: Fault) => drawn.filter((faults) => faults.includes(fault)).length;
    expect(count("duplicate") / 4_000).toBeCloseTo(0.25, 1);
    expect(count("slow") + count("cut_after")).toBe(4_000);
    expect(count("slow") / 4_000).toBeCloseTo(0.5, 1);
  });

  it("ends with an empty list", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed({ faults: ["duplicate"] });
    await sandbox.endpoint({ url });
    sandbox.faults([]);
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(arrived).toHaveLength(1);
  });

  it("concurrent sends the same bytes twice at the same moment", async () => {
    // Answers only after both have arrived.
    const waiting: { end(): unknown }[] = [];
    const holding = await recordingEndpoint((_, response) => {
      waiting.push(response);
      if (waiting.length === 2) for (const one of waiting) one.end();
    });
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url: holding.url });
    await sandbox.send("order.filled", { faults: ["concurrent"] });
    await sandbox.settled();
    expect(holding.arrived).toHaveLength(2);
    expect(holding.arrived[0]?.body).toEqual(holding.arrived[1]?.body);
    expect(sandbox.deliveries().map(({ origin }) => origin)).toEqual(["event", "duplicate"]);
  });

  it("reorder lets later events overtake", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed({ seed: 2, faults: ["reorder"] });
    await sandbox.endpoint({ url });
    const sent = Array.from({ length: 10 }, (_, place) => `ord_${place}`);
    for (const id of sent) await sandbox.send("order.filled", { data: { id } });
    await sandbox.settled();
    const came = arrived.map(({ body }) => JSON.parse(body.toString()).data.id);
    expect(came.toSorted()).toEqual(sent);
    expect(came).not.toEqual(sent);
  });

  it("slow sends the same body in small pieces", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled", { faults: ["slow"] });
    await sandbox.settled();
    expect(arrived).toHaveLength(1);
    const [delivery] = sandbox.deliveries();
    expect(sandbox.delivery(delivery?.id ?? "")?.body.text).toBe(String(arrived[0]?.body));
    expect(delivery?.attempts[0]).toMatchObject({ status: 200, fault: "slow" });
    expect(delivery?.attempts[0]?.latencyMs).toBeGreaterThan(300);
  });

  it("slow stays within a timeout that is shortened a hundredfold", async () => {
    const { url } = await recordingEndpoint();
    const sandbox = await sandboxed({ speed: 100 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled", { faults: ["slow"] });
    await sandbox.settled();
    expect(sandbox.deliveries()[0]?.attempts).toMatchObject([{ status: 200, fault: "slow" }]);
  });

  it.each([
    ["cut_before", 0, 0],
    ["cut_middle", 0, 1],
    ["cut_after", 1, 0],
  ] as const)("%s cuts the first attempt, and the retry comes through", async (fault, whole, broken) => {
    const endpoint = await recordingEndpoint();
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url: endpoint.url });
    await sandbox.send("order.filled", { faults: [fault] });
    await sandbox.advance(0);
    await expect.poll(() => [endpoint.arrived.length, endpoint.broken.length]).toEqual([whole, broken]);
    expect(sandbox.deliveries()[0]?.attempts).toMatchObject([{ fault, error: "cut off on purpose", status: null }]);
    await sandbox.settled();
    expect(sandbox.deliveries()[0]?.attempts).toMatchObject([{ fault }, { fault: null, status: 200 }]);
  });

  it("clock_skew makes the first attempt refused and its retry accepted", async () => {
    const { sandbox, ran } = await receiving({ scheme: SCHEMES.timestamped, faults: ["clock_skew"] });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(sandbox.deliveries()[0]?.attempts).toMatchObject([{ status: 401, fault: "clock_skew" }, { status: 200 }]);
    expect(ran).toHaveLength(1);
  });

  it("rotate_secret changes the secret once; signed deliveries keep the old one", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(500, 200));
    const sandbox = await sandboxed({ speed: 0 });
    const { id, secret } = await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    for (let sent = 0; sent < 2; sent += 1) await sandbox.send("order.accepted", { faults: ["rotate_secret"] });
    await sandbox.settled();
    const [fresh, old, ...others] = sandbox.secrets(id);
    expect(old).toBe(secret);
    expect(others).toEqual([]);
    const used = sandbox
      .deliveries()
      .map((one) => sandbox.delivery(one.id)?.attempts.map(({ signature }) => signature));
    const shown = used.map((signatures) => signatures?.map(({ steps }) => steps[1]?.code));
    // One signed before the change, one during it, one after it.
    expect(shown).toEqual([[secret, secret], [secret], [fresh]]);
    expect(arrived).toHaveLength(4);
  });

  it("rotate_secret keeps the signature of copies and counts none as failed", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(200, 500));
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled", { faults: ["rotate_secret", "duplicate"] });
    await sandbox.settled();
    expect(arrived).toHaveLength(2);
    expect(new Set(arrived.map(({ headers }) => headers["x-bluum-signature"])).size).toBe(1);
    expect(sandbox.endpoints()).toMatchObject([{ failed: 0, delivered: 1, recent: [200] }]);
  });

  it("fresh_signature signs a retry with the current secret", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(500, 200));
    const sandbox = await sandboxed({ speed: 0 });
    const { id } = await sandbox.endpoint({ url });
    await sandbox.send("order.filled", { faults: ["fresh_signature"] });
    await sandbox.advance(0);
    expect(await sandbox.rotateSecret(id, "the next secret of the app")).toBe("the next secret of the app");
    await sandbox.settled();
    expect(new Set(arrived.map(({ headers }) => headers["x-bluum-signature"])).size).toBe(2);
    expect(sandbox.secrets(id)[0]).toBe("the next secret of the app");
    await expect(sandbox.rotateSecret(id, "short")).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

describe("a forged delivery", () => {
  const kinds = Object.entries(SCHEMES).flatMap(([name, scheme]) =>
    forgeriesOf(scheme).map(({ kind }) => [kind, name, scheme] as const),
  );

  it.each(kinds)("of kind %s is refused by a receiver with %s and not retried", async (kind, _, scheme) => {
    const { sandbox, ran } = await receiving({ scheme });
    const [original] = await sandbox.send("order.filled");
    await sandbox.settled();
    const forged = await sandbox.forge(original?.id ?? "", kind);
    await sandbox.settled();
    const attempts = [{ status: 401, fault: kind }];
    expect(sandbox.delivery(forged.id)).toMatchObject({ origin: "forged", state: "parked", attempts });
    expect(sandbox.delivery(forged.id)?.attempts[0]?.signature.genuine).toBe(false);
    expect(ran).toHaveLength(1);
    expect(sandbox.endpoints()[0]?.recent).toEqual([200]);
  });

  it("with a malformed signature differs in nothing else", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed({ scheme: SCHEMES["standard-webhooks"] });
    await sandbox.endpoint({ url });
    const [original] = await sandbox.send("order.filled");
    await sandbox.settled();
    await sandbox.forge(original?.id ?? "", "malformed_signature");
    await sandbox.settled();
    const [genuine, forged] = arrived.map(({ headers }) => headers);
    expect(forged?.["webhook-id"]).toBe(genuine?.["webhook-id"]);
    expect(forged?.["webhook-timestamp"]).toMatch(/^\d{10}$/);
    expect(forged?.["webhook-signature"]).toHaveLength(String(genuine?.["webhook-signature"]).length - 7);
  });

  it("stays forged when it is duplicated", async () => {
    const { sandbox, ran } = await receiving({});
    const [original] = await sandbox.send("order.filled");
    await sandbox.settled();
    const forged = await sandbox.forge(original?.id ?? "");
    const again = await sandbox.duplicate(forged.id);
    await sandbox.settled();
    expect(sandbox.delivery(again.id)).toMatchObject({ origin: "forged", attempts: [{ status: 401 }] });
    expect(ran).toHaveLength(1);
  });

  it("is refused if its kind makes no sense under the scheme", async () => {
    const { sandbox } = await receiving({});
    const [original] = await sandbox.send("order.filled");
    await expect(sandbox.forge(original?.id ?? "", "swapped_id")).rejects.toMatchObject({
      code: "configuration_invalid",
    });
    await expect(sandbox.forge("dlv_none")).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});
