import { createServer, type ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { RETRY_DELAYS_MS } from "../../src/bluum/retry-schedule.ts";
import { bluumSignature, createReceiver, type MessageToSign, standardWebhooksSignature } from "../../src/index.ts";
import type { SandboxOptions } from "../../src/sandbox/index.ts";
import { recordingEndpoint, sandboxed, served, statuses } from "./endpoints.ts";

describe("an event that is sent", () => {
  it("is verified, typed and processed by a receiver", async () => {
    const sandbox = await sandboxed();
    const seen: unknown[] = [];
    let secret = "";
    const receiver = createReceiver({ secret: () => secret, logger: false }).on("order.filled", (event) => {
      seen.push(event.data);
    });
    ({ secret } = await sandbox.endpoint({ url: await served(createServer(bluumHandler(receiver))) }));
    await sandbox.send("order.filled", { data: { id: "ord_1", average_price: "10.00" } });
    await sandbox.settled();
    expect(seen).toEqual([expect.objectContaining({ id: "ord_1", average_price: "10.00", status: "filled" })]);
    expect(sandbox.deliveries()).toMatchObject([{ state: "delivered", attempts: [{ status: 200, error: null }] }]);
  });

  it("has the documented payload, with an event id only on request", async () => {
    const { url, arrived } = await recordingEndpoint();
    for (const eventIds of [false, true]) {
      const sandbox = await sandboxed({ eventIds, now: () => Date.parse("2026-03-01T12:00:00.900Z") });
      await sandbox.endpoint({ url });
      await sandbox.send("order.filled");
      await sandbox.settled();
    }
    const [without, having] = arrived.map(({ body }) => JSON.parse(body.toString()));
    expect(Object.keys(without)).toEqual(["event", "timestamp", "data"]);
    expect(without).toMatchObject({ event: "order.filled", timestamp: "2026-03-01T12:00:00Z" });
    expect(Object.keys(having)).toEqual(["id", "event", "timestamp", "data"]);
    expect(having.id).toMatch(/^evt_/);
  });

  it("goes to every active endpoint that subscribes to it", async () => {
    const sandbox = await sandboxed();
    const subscriptions = [["order.filled"], ["order.*"], ["*"], ["transfer.*"], ["order.accepted"]];
    const endpoints = await Promise.all(
      subscriptions.map(async (eventTypeNames) => {
        const { url, arrived } = await recordingEndpoint();
        await sandbox.endpoint({ url, eventTypeNames });
        return arrived;
      }),
    );
    const { url, arrived } = await recordingEndpoint();
    await sandbox.endpoint({ url, status: "INACTIVE" });
    const sent = await sandbox.send("order.filled");
    await sandbox.settled();
    expect(endpoints.map((one) => one.length)).toEqual([1, 1, 1, 0, 0]);
    expect(arrived).toEqual([]);
    expect(new Set(sent.map(({ eventId }) => eventId)).size).toBe(1);
    expect(sent).toHaveLength(3);
  });

  it("is sent after earlier events even if the clock stands still", async () => {
    const { url } = await recordingEndpoint();
    const begun: string[] = [];
    const sandbox = await sandboxed({
      speed: 0,
      observe: (change) =>
        change.kind === "delivery" && change.delivery.state === "sending" && begun.push(change.delivery.id),
    });
    await sandbox.endpoint({ url });
    const sent: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      const [delivery] = await sandbox.send("order.filled");
      sent.push(delivery?.id ?? "");
    }
    await sandbox.settled();
    expect(begun).toEqual(sent);
  });

  it("may have a type outside the catalogue", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url, eventTypeNames: ["compliance.*"] });
    await sandbox.send("compliance.review.opened", { data: { review_id: "r1" } });
    await sandbox.settled();
    expect(JSON.parse(String(arrived[0]?.body))).toMatchObject({ data: { review_id: "r1" } });
  });

  it.each([["order"], ["order.*"], [""], ["order.filled\n"], [7]])(
    "is refused for a type that no event can have: %j",
    async (type) => {
      const sandbox = await sandboxed();
      await expect(sandbox.send(type as string)).rejects.toMatchObject({ code: "configuration_invalid" });
    },
  );

  it("is refused if its data is too large or not JSON", async () => {
    const sandbox = await sandboxed();
    for (const data of [{ text: "x".repeat(300_000) }, { big: 1n }, ["a list"]]) {
      await expect(sandbox.send("order.filled", { data })).rejects.toMatchObject({ code: "configuration_invalid" });
    }
  });

  it("is sent over kept-alive connections", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url });
    for (let sent = 0; sent < 3; sent += 1) {
      await sandbox.send("order.filled");
      await sandbox.settled();
    }
    expect(new Set(arrived.map(({ fromPort }) => fromPort)).size).toBe(1);
  });
});

describe("an event that is refused", () => {
  it("is retried on the documented schedule and then parked, without waiting", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(500));
    const sandbox = await sandboxed({ seed: 1 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    const began = performance.now();
    await sandbox.settled();
    expect(performance.now() - began).toBeLessThan(5_000);
    const [delivery] = sandbox.deliveries();
    expect(delivery).toMatchObject({ state: "parked", nextAttemptAt: null });
    const times = (delivery?.attempts ?? []).map(({ at }) => at);
    const gaps = times.slice(1).map((at, place) => at - (times[place] ?? 0));
    expect(gaps).toHaveLength(RETRY_DELAYS_MS.length);
    RETRY_DELAYS_MS.forEach((delayMs, place) => {
      expect(gaps[place]).toBeGreaterThanOrEqual(delayMs * 0.95);
      expect(gaps[place]).toBeLessThanOrEqual(delayMs + 1_000);
    });
    expect(arrived).toHaveLength(6);
  });

  it("is retried with the same bytes and signature if no timestamp is signed", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(503, 500, 200));
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(arrived).toHaveLength(3);
    expect(new Set(arrived.map(({ body }) => body.toString())).size).toBe(1);
    expect(new Set(arrived.map(({ headers }) => headers["x-bluum-signature"])).size).toBe(1);
  });

  it("is signed again with the same message id if a timestamp is signed", async () => {
    let wall = Date.now();
    const { url, arrived } = await recordingEndpoint(statuses(500, 200));
    const sandbox = await sandboxed({ scheme: standardWebhooksSignature(), now: () => wall });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    wall += 60_000;
    await sandbox.advance();
    expect(arrived).toHaveLength(2);
    expect(new Set(arrived.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(arrived.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(2);
  });

  it.each([
    [201, "delivered"],
    [299, "delivered"],
    [301, "retrying"],
    [400, "retrying"],
    [503, "retrying"],
  ])("is one that was answered anything but 2xx: %i means %s", async (status, state) => {
    const { url } = await recordingEndpoint(statuses(status));
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    expect(sandbox.deliveries()).toMatchObject([{ state, attempts: [{ status }] }]);
  });

  it("includes connections refused, broken off and timed out", async () => {
    const closed = await recordingEndpoint();
    const broken = await recordingEndpoint((_, response) => response.destroy());
    const silent = await recordingEndpoint(() => {});
    const sandbox = await sandboxed({ speed: 0, timeoutMs: 100 });
    for (const { url } of [broken, silent]) await sandbox.endpoint({ url });
    await sandbox.endpoint({ url: closed.url.replace(/:\d+/, ":1") });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    expect(sandbox.deliveries().map(({ attempts }) => attempts[0]?.error)).toEqual([
      "ECONNRESET",
      "timed out",
      "ECONNREFUSED",
    ]);
  });

  it.each([
    ["throws", "the key store is away", "could not be signed: the key store is away"],
    ["makes no header", undefined, expect.stringContaining("could not be sent: ")],
  ])("is one whose scheme %s, which ends nothing else", async (_, message, error) => {
    const { url, arrived } = await recordingEndpoint();
    let isWell = true;
    const genuine = bluumSignature();
    const sign = (signing: MessageToSign) => {
      if (isWell) return genuine.sign(signing);
      if (message === undefined) return { "X-Signature": "two\r\nlines" };
      throw new Error(message);
    };
    const sandbox = await sandboxed({ speed: 0, scheme: { ...genuine, sign } });
    await sandbox.endpoint({ url });
    isWell = false;
    const [sent] = await sandbox.send("order.filled", { faults: ["fresh_signature"] });
    await sandbox.advance(0);
    expect(sandbox.deliveries()).toMatchObject([{ state: "retrying", attempts: [{ status: null, error }] }]);
    expect(sandbox.delivery(sent?.id ?? "")?.attempts[0]?.signature.steps.length).toBeGreaterThan(0);
    isWell = true;
    await sandbox.settled();
    expect(arrived).toHaveLength(1);
    expect(sandbox.deliveries()).toMatchObject([{ state: "delivered", attempts: [{ error }, { status: 200 }] }]);
  });

  it("is retried when it is due and not before", async () => {
    const { url, arrived } = await recordingEndpoint(statuses(500, 200));
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    await sandbox.advance(56_000);
    expect(arrived).toHaveLength(1);
    await sandbox.advance(4_000);
    expect(arrived).toHaveLength(2);
    expect(sandbox.deliveries()).toMatchObject([{ state: "delivered" }]);
  });

  it("runs through the schedule by itself at a high speed", async () => {
    const { url, arrived } = await recordingEndpoint((_, response) => {
      if (arrived.length > 1) response.end();
    });
    const sandbox = await sandboxed({ speed: 600 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await expect.poll(() => sandbox.deliveries()[0]?.state, { timeout: 5_000 }).toBe("delivered");
    const [first] = sandbox.deliveries()[0]?.attempts ?? [];
    expect(first?.error).toBe("timed out");
    expect(first?.latencyMs).toBeGreaterThanOrEqual(49);
    expect(first?.latencyMs).toBeLessThan(1_000);
  });
});

describe("a parked event", () => {
  it("is delivered once by replaying all parked events", async () => {
    const answers = [...Array(6).fill(500), 200];
    const { url, arrived } = await recordingEndpoint(statuses(...answers));
    const sandbox = await sandboxed();
    const { id } = await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(sandbox.endpoints()).toMatchObject([{ id, parked: 1, delivered: 0, failed: 6 }]);
    expect(sandbox.deliveries()).toMatchObject([{ state: "parked", replayed: false }]);
    const replays = await sandbox.replayParked();
    await sandbox.settled();
    expect(replays).toMatchObject([{ origin: "replay" }]);
    expect(sandbox.deliveries().map(({ replayed }) => replayed)).toEqual([true, false]);
    expect(await sandbox.replayParked()).toEqual([]);
    expect(arrived.at(-1)?.body).toEqual(arrived[0]?.body);
    expect(sandbox.endpoints()).toMatchObject([{ parked: 0, delivered: 1 }]);
  });

  it("is signed with the current secret when it is replayed", async () => {
    let secrets: readonly string[] = [];
    const sandbox = await sandboxed();
    const receiver = createReceiver({ secret: () => secrets, logger: false, now: sandbox.now }).on("*", () => {});
    const { id } = await sandbox.endpoint({ url: await served(createServer(bluumHandler(receiver))) });
    secrets = ["a secret that signs nothing"];
    await sandbox.send("order.filled");
    await sandbox.settled();
    secrets = [await sandbox.rotateSecret(id)];
    await sandbox.replayParked();
    await sandbox.settled();
    expect(sandbox.deliveries().map(({ origin, state }) => [origin, state])).toEqual([
      ["event", "parked"],
      ["replay", "delivered"],
    ]);
  });

  it.each([
    ["paused", "PATCH", '{"status":"INACTIVE"}'],
    ["removed", "DELETE", null],
  ])("is one whose endpoint was %s before it came through", async (_, method, body) => {
    const { url, arrived } = await recordingEndpoint(statuses(500));
    const sandbox = await sandboxed();
    const { id } = await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    const { apiKey, apiSecret } = sandbox.credentials;
    const headers = { authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}`, "content-type": "application/json" };
    await fetch(`${sandbox.baseUrl}/webhooks/${id}`, { method, headers, body });
    await sandbox.settled();
    expect(sandbox.deliveries()).toMatchObject([{ state: "parked" }]);
    expect(arrived).toHaveLength(1);
    expect(await sandbox.replayParked()).toEqual([]);
    const replay = sandbox.replay(sandbox.deliveries()[0]?.id ?? "");
    if (method === "DELETE") await expect(replay).rejects.toMatchObject({ code: "configuration_invalid" });
    else await replay;
  });
});

describe("a sandbox", () => {
  it("keeps no more than 4 KB of an answer's headers", async () => {
    const { url } = await recordingEndpoint((_, response) => {
      for (let count = 0; count < 12; count += 1) response.setHeader(`X-Large-${count}`, "x".repeat(1_000));
      response.end();
    });
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url });
    const [sent] = await sandbox.send("order.filled");
    await sandbox.settled();
    const kept = sandbox.delivery(sent?.id ?? "")?.attempts[0]?.answer?.headers ?? [];
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.flat().join("").length).toBeLessThanOrEqual(4_096);
  });

  it("forgets the oldest finished deliveries above its limit", async () => {
    const refusing = await recordingEndpoint(statuses(500));
    const accepting = await recordingEndpoint();
    const sandbox = await sandboxed({ maxDeliveries: 20, speed: 0 });
    await sandbox.endpoint({ url: refusing.url, eventTypeNames: ["order.rejected"] });
    await sandbox.endpoint({ url: accepting.url, eventTypeNames: ["order.filled"] });
    const [pending] = await sandbox.send("order.rejected");
    for (let sent = 0; sent < 50; sent += 1) {
      await sandbox.send("order.filled");
      await sandbox.advance(0);
    }
    expect(accepting.arrived).toHaveLength(50);
    expect(sandbox.deliveries()).toHaveLength(20);
    expect(sandbox.deliveries()[0]).toMatchObject({ id: pending?.id, state: "retrying" });
  });

  it("calls its observer with every change, even if the observer throws", async () => {
    const { url } = await recordingEndpoint();
    const states: string[] = [];
    const sandbox = await sandboxed({
      observe(change) {
        if (change.kind === "delivery") states.push(change.delivery.state);
        throw new Error("the observer's own trouble");
      },
    });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(states).toEqual(["waiting", "sending", "delivered"]);
  });

  it("refuses an invalid endpoint, and a secret that the scheme cannot use", async () => {
    const sandbox = await sandboxed({ scheme: standardWebhooksSignature() });
    for (const options of [
      { url: "http://example.com/" },
      { url: "https://example.com/", eventTypeNames: ["order.fulfilled"] },
      { url: "https://example.com/", secret: "not in the scheme's form" },
    ]) {
      await expect(sandbox.endpoint(options)).rejects.toMatchObject({ code: "configuration_invalid" });
    }
    expect(sandbox.endpoints()).toEqual([]);
  });

  it("closes in the middle of a request and sends nothing more", async () => {
    const { url, arrived } = await recordingEndpoint(() => {});
    const sandbox = await sandboxed();
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await expect.poll(() => arrived.length).toBe(1);
    const settled = sandbox.settled();
    await sandbox.close();
    await settled;
    await expect(sandbox.send("order.filled")).rejects.toMatchObject({ code: "configuration_invalid" });
    await expect(fetch(sandbox.url)).rejects.toThrow();
  });

  it.each([
    [{ speed: -1 }, "speed"],
    [{ speed: Number.POSITIVE_INFINITY }, "speed"],
    [{ port: 70_000 }, "port"],
    [{ host: "" }, "host"],
    [{ maxDeliveries: 0 }, "maxDeliveries"],
    [{ seed: 0.5 }, "seed"],
    [{ scheme: {} }, "scheme"],
    [{ responseShape: "round" }, "responseShape"],
    [{ faults: ["flood"] }, "faults"],
    [{ faults: { slow: 2 } }, "faults.slow"],
    [{ apiKey: "a:b" }, "apiKey"],
    [{ prot: 1 }, "prot"],
  ])("refuses %j, naming the option", async (options, name) => {
    await expect(sandboxed(options as object)).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining(`sandbox: ${name} `),
    });
  });
});

describe("an endpoint that is processing the event", () => {
  const IN_FLIGHT = '{"error":{"code":"event_in_flight"}}';

  /** Answers 503 and then 200. @returns the real time between the two */
  async function retried(headers: Record<string, string>, body: string, options: SandboxOptions = { speed: 0 }) {
    const times: number[] = [];
    const { url } = await recordingEndpoint((_, response) => {
      if (times.push(performance.now()) > 1) response.end();
      else response.writeHead(503, headers).end(body);
    });
    const sandbox = await sandboxed(options);
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(sandbox.deliveries()).toMatchObject([{ state: "delivered", attempts: [{ status: 503 }, { status: 200 }] }]);
    return (times[1] ?? Number.NaN) - (times[0] ?? 0);
  }

  it.each([0, 1, 1_000])("gets the retry after its Retry-After in real time, at speed %i", async (speed) => {
    const options = { speed, timeoutMs: 600_000 };
    expect(await retried({ "Retry-After": "1" }, IN_FLIGHT, options)).toBeGreaterThanOrEqual(990);
  });

  it("does not hold up settled() or advance() once the sandbox is closed", async () => {
    const { url } = await recordingEndpoint((_, response) => {
      response.writeHead(503, { "Retry-After": "30" }).end(IN_FLIGHT);
    });
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    const before = sandbox.now();
    const waiting = sandbox.settled();
    // The clock has reached the retry, which waits for the end of the lease.
    await vi.waitFor(() => expect(sandbox.now()).toBeGreaterThan(before));
    await sandbox.close();
    await waiting;
    await sandbox.settled();
    await sandbox.advance();
  });

  it.each([
    ["another code", { "Retry-After": "30" }, '{"error":{"code":"store_unavailable"}}'],
    ["no code", { "Retry-After": "30" }, "busy"],
    ["no Retry-After", {}, IN_FLIGHT],
    ["a Retry-After that is not a number", { "Retry-After": "later" }, IN_FLIGHT],
  ])("is retried without waiting if it answers with %s", async (_, headers, body) => {
    expect(await retried(headers, body)).toBeLessThan(5_000);
  });

  it("is not waited for if the sandbox itself sent the other copy", async () => {
    const copies: ServerResponse[] = [];
    const { url } = await recordingEndpoint((_, response) => {
      copies.push(response);
      if (copies.length === 2) {
        // The original is answered first, the copy after it.
        copies[0]?.writeHead(503, { "Retry-After": "30" }).end(IN_FLIGHT, () => response.writeHead(500).end());
      } else if (copies.length > 2) response.end();
    });
    const sandbox = await sandboxed({ speed: 0, faults: ["concurrent"] });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    const began = performance.now();
    await sandbox.settled();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(sandbox.deliveries()[0]).toMatchObject({ attempts: [{ status: 503 }, { status: 200 }] });
  });

  it("does not delay closing the sandbox", async () => {
    const { url } = await recordingEndpoint((_, response) =>
      response.writeHead(503, { "Retry-After": "30" }).end(IN_FLIGHT),
    );
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.advance(0);
    const settled = sandbox.settled();
    await sandbox.close();
    await settled;
    expect(sandbox.deliveries()).toMatchObject([{ state: "retrying", attempts: [{ status: 503 }] }]);
  });
});
