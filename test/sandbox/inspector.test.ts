import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { Changes } from "../../src/sandbox/changes.ts";
import type { Change, DeliveryDetail, Sandbox, Snapshot, Started } from "../../src/sandbox/index.ts";
import { EventStreams } from "../../src/sandbox/server/event-stream.ts";
import { isOwnHost, isOwnOrigin } from "../../src/sandbox/server/origins.ts";
import { freshFile } from "../stores/sqlite-engines.ts";
import { recordingEndpoint, sandboxed, served, statuses } from "./endpoints.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  readonly value: any;
}

/** One call, with headers that fetch does not allow. */
async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  headers: object = {},
  body?: unknown,
): Promise<Answer> {
  const sent = request(new URL(path, sandbox.url), {
    method,
    headers: { "content-type": "application/json", ...headers },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const isJson = response.headers["content-type"]?.startsWith("application/json");
  return { status: response.statusCode, headers: response.headers, text, value: isJson ? JSON.parse(text) : undefined };
}

const basic = ({ credentials }: Sandbox) => `Basic ${btoa(`${credentials.apiKey}:${credentials.apiSecret}`)}`;
const get = (sandbox: Sandbox, path: string) => call(sandbox, "GET", `/_inspector/${path}`);
const post = (sandbox: Sandbox, path: string, body: unknown = {}) =>
  call(sandbox, "POST", `/_inspector/${path}`, {}, body);

async function withDelivery(answer = statuses(200)) {
  const endpoint = await recordingEndpoint(answer);
  const sandbox = await sandboxed({ speed: 0 });
  const { id: endpointId, secret } = await sandbox.endpoint({ url: endpoint.url, name: "mine" });
  const [sent] = await sandbox.send("order.filled");
  await sandbox.advance(0);
  return { ...endpoint, sandbox, endpointId, secret, id: sent?.id ?? "" };
}

/** Follows the changes, until the test is over. */
async function following(sandbox: Sandbox, { since, lastEventId }: { since?: number; lastEventId?: string } = {}) {
  const path = `/_inspector/changes${since === undefined ? "" : `?since=${since}`}`;
  const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const sent = request(new URL(path, sandbox.url), { headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  response.on("data", (chunk) => (text += chunk)).on("error", () => {});
  sent.on("error", () => {});
  const events = () =>
    [...text.matchAll(/^id: (\d+)\nevent: change\ndata: (.*)$/gm)].map(([, id, data = ""]) => ({
      id: Number(id),
      change: JSON.parse(data) as Change,
    }));
  return { response, text: () => text, events, end: () => sent.destroy() };
}

describe("the inspector", () => {
  it("returns the whole state", async () => {
    const { sandbox, endpointId, id } = await withDelivery();
    const { value } = await get(sandbox, "state");
    expect(value).toMatchObject({
      speed: 0,
      now: sandbox.now(),
      scheme: expect.stringContaining("X-Bluum-Signature"),
      endpoints: [{ id: endpointId, name: "mine", delivered: 1, failed: 0, parked: 0, recent: [200] }],
      deliveries: [{ id, state: "delivered", origin: "event", attempts: [{ status: 200, error: null, fault: null }] }],
    } satisfies Partial<Record<keyof Snapshot, unknown>>);
    expect(value.eventTypes).toContain("order.filled");
    expect(value.scenarios).toContainEqual({ name: "order-rejected", title: "An order that is rejected" });
    expect(value.forgeries).toContainEqual({ kind: "no_signature", title: "No signature at all" });
    expect(value.firstSteps[0].code).toContain(`BLUUM_BASE_URL=${sandbox.baseUrl}`);
    expect(value.endpoints[0].medianLatencyMs).toBeGreaterThanOrEqual(0);
  });

  it("returns one delivery with its requests and answers", async () => {
    const { sandbox, id, arrived } = await withDelivery((_, response) => {
      response.writeHead(500, { "X-Mine": "<b>é</b>" }).end("x".repeat(5_000));
    });
    const value = (await get(sandbox, `deliveries/${id}`)).value as DeliveryDetail;
    expect(value).toMatchObject({ id, state: "retrying", body: { text: String(arrived[0]?.body), altered: false } });
    const [attempt] = value.attempts;
    const sent = Object.fromEntries(attempt?.request.headers ?? []);
    for (const [name, text] of Object.entries(sent)) expect(arrived[0]?.headers[name.toLowerCase()]).toBe(text);
    expect(sent).toHaveProperty("X-Bluum-Signature");
    expect(sent).toHaveProperty("Host");
    expect(attempt?.answer?.headers).toContainEqual(["X-Mine", "<b>é</b>"]);
    expect(attempt?.answer?.body).toEqual({ text: "x".repeat(4_096), bytes: 5_000, altered: true });
    expect(value.nextAttemptAt).toBeGreaterThan(sandbox.now());
  });

  it("sends copies, replays, forgeries, scenarios and single events", async () => {
    const { sandbox, id } = await withDelivery();
    const made = [
      await post(sandbox, `deliveries/${id}/duplicate`),
      await post(sandbox, `deliveries/${id}/replay`),
      await post(sandbox, `deliveries/${id}/forge`, { kind: "altered_body" }),
      await post(sandbox, `deliveries/${id}/forge`),
      await post(sandbox, "scenarios/deposit-failed"),
      await post(sandbox, "events", { event: "order.canceled", data: { id: "ord_9" } }),
      await post(sandbox, "replay-parked"),
    ];
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 200));
    const ids = made.map(({ value }) => (value as Started).deliveryIds);
    expect(ids.map((some) => some.length)).toEqual([1, 1, 1, 1, 2, 1, 0]);
    await sandbox.settled();
    expect(sandbox.delivery(ids[5]?.[0] ?? "")?.body.text).toContain('"id":"ord_9"');
    const origins = ids.slice(0, 4).map(([one = ""]) => sandbox.delivery(one)?.origin);
    expect(origins).toEqual(["duplicate", "replay", "forged", "forged"]);
  });

  it("pauses an endpoint and activates it again", async () => {
    const { sandbox, endpointId, arrived } = await withDelivery();
    const paused = await call(sandbox, "PATCH", `/_inspector/endpoints/${endpointId}`, {}, { status: "INACTIVE" });
    expect(paused.value).toMatchObject({ id: endpointId, status: "INACTIVE" });
    expect(await sandbox.send("order.filled")).toEqual([]);
    await call(sandbox, "PATCH", `/_inspector/endpoints/${endpointId}`, {}, { status: "ACTIVE" });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(arrived).toHaveLength(2);
  });

  it("adds an endpoint and shows its secret once", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed({ speed: 0 });
    const { status, value } = await post(sandbox, "endpoints", { url, name: "mine", eventTypeNames: ["order.*"] });
    expect(status).toBe(200);
    const { secret, ...view } = value;
    expect(view).toEqual(sandbox.endpoints()[0]);
    expect(view).toMatchObject({ name: "mine", url, status: "ACTIVE", eventTypeNames: ["order.*"] });
    expect(sandbox.secrets(view.id)).toEqual([secret]);
    expect((await get(sandbox, "state")).text).not.toContain(secret);
    expect(
      (await call(sandbox, "PATCH", `/_inspector/endpoints/${view.id}`, {}, { status: "ACTIVE" })).text,
    ).not.toContain(secret);
    await sandbox.send("account.created");
    await sandbox.send("order.filled");
    await sandbox.settled();
    expect(arrived).toHaveLength(1);
  });

  it("adds an endpoint by its URL alone and accepts no secret from the page", async () => {
    const sandbox = await sandboxed();
    const url = "http://localhost:3000/webhooks/bluum";
    const { value } = await post(sandbox, "endpoints", {
      url,
      secret: "a secret of the page's own",
      status: "INACTIVE",
    });
    expect(value).toMatchObject({ name: url, url, status: "ACTIVE", eventTypeNames: ["*"] });
    expect(value.secret).not.toBe("a secret of the page's own");
  });

  it("shows that the endpoint did not handle an event", async () => {
    const answers = [
      [200, '{"received":true,"unhandled":true}'],
      [500, '{"received":true,"unhandled":true}'],
      [200, '{"received":true}'],
      [200, '"unhandled"'],
    ] as const;
    let asked = 0;
    const { url } = await recordingEndpoint((_, response) => {
      const [status, body] = answers[asked] ?? [200, ""];
      asked += 1;
      response.writeHead(status).end(body);
    });
    const sandbox = await sandboxed({ speed: 0 });
    await sandbox.endpoint({ url });
    for (let sent = 0; sent < answers.length; sent += 1) {
      await sandbox.send("order.filled");
      await sandbox.advance(0);
    }
    const { value } = await get(sandbox, "state");
    const unhandled = (value as Snapshot).deliveries.map(({ attempts }) => attempts[0]?.unhandled ?? false);
    expect(unhandled).toEqual([true, false, false, false]);
    expect(value.deliveries[0].state).toBe("delivered");
  });

  it("counts the deliveries that replay-parked would replay", async () => {
    const { url } = await recordingEndpoint(statuses(500));
    const sandbox = await sandboxed({ speed: 0 });
    const { revision } = (await get(sandbox, "state")).value;
    const stream = await following(sandbox, { since: revision });
    const replayable = async () => {
      const counted: number = (await get(sandbox, "state")).value.replayable;
      await expect.poll(() => stream.events().at(-1)?.change.replayable).toBe(counted);
      return counted;
    };
    const [stays, goes] = [await sandbox.endpoint({ url }), await sandbox.endpoint({ url })];
    const patch = (status: string) => call(sandbox, "PATCH", `/_inspector/endpoints/${stays.id}`, {}, { status });
    const [first] = await sandbox.send("order.filled");
    await sandbox.send("order.filled");
    expect(await replayable()).toBe(0);
    await sandbox.duplicate(first?.id ?? "");
    await sandbox.forge(first?.id ?? "");
    await sandbox.settled();
    expect(await replayable()).toBe(4);
    await patch("INACTIVE");
    expect(await replayable()).toBe(2);
    await call(sandbox, "DELETE", `/v1/webhooks/${goes.id}`, { authorization: basic(sandbox) });
    expect(await replayable()).toBe(0);
    await patch("ACTIVE");
    expect(await replayable()).toBe(2);
    await sandbox.replay(first?.id ?? "");
    expect(await replayable()).toBe(1);
    expect((await post(sandbox, "replay-parked")).value.deliveryIds).toHaveLength(1);
    expect(await replayable()).toBe(0);
    await sandbox.settled();
    expect(await replayable()).toBe(2);
    stream.end();
  });

  it("counts replayable deliveries of an earlier run, but no forgotten ones", async () => {
    const { url } = await recordingEndpoint(statuses(500));
    const { file, remove } = freshFile();
    onTestFinished(remove);
    const first = await sandboxed({ speed: 0, maxDeliveries: 2, statePath: file });
    await first.endpoint({ url });
    for (let sent = 0; sent < 3; sent += 1) await first.send("order.filled");
    await first.settled();
    expect((await get(first, "state")).value).toMatchObject({ replayable: 2 });
    await first.close();
    const second = await sandboxed({ speed: 0, statePath: file });
    expect((await get(second, "state")).value).toMatchObject({ replayable: 2 });
  });

  it.each([
    ["GET", "deliveries/dlv_none", undefined, 404],
    ["GET", "nowhere", undefined, 404],
    ["POST", "nowhere", {}, 404],
    ["DELETE", "endpoints/wh_none", undefined, 404],
    ["PATCH", "endpoints/wh_none", { status: "ACTIVE" }, 404],
    ["POST", "deliveries/dlv_none/replay", {}, 400],
    ["POST", "scenarios/none", {}, 400],
    ["POST", "endpoints", {}, 400],
    ["POST", "endpoints", { url: "http://example.com/" }, 400],
    ["POST", "endpoints", { url: "https://me:password@example.com/" }, 400],
    ["POST", "endpoints", { url: ["https://example.com/"] }, 400],
    ["POST", "endpoints", { url: "https://example.com/", name: "" }, 400],
    ["POST", "endpoints", { url: "https://example.com/", eventTypeNames: "*" }, 400],
    ["POST", "endpoints", { url: "https://example.com/", eventTypeNames: ["order"] }, 400],
    ["POST", "events", {}, 400],
    ["POST", "events", { event: "order" }, 400],
    ["POST", "events", { event: "order.filled", data: 1 }, 400],
    ["POST", "events", [], 400],
  ])("answers what cannot be with a code: %s %s %j", async (method, path, body, status) => {
    const answer = await call(await sandboxed(), method, `/_inspector/${path}`, {}, body);
    expect(answer.status).toBe(status);
    expect(answer.value.error).toEqual({ code: expect.any(String), message: expect.any(String) });
  });
});

describe("the changes", () => {
  it("contain every state in order, without a gap", async () => {
    const { url } = await recordingEndpoint(statuses(500, 200));
    const sandbox = await sandboxed({ speed: 0 });
    const { revision } = (await get(sandbox, "state")).value;
    const stream = await following(sandbox, { since: revision });
    await sandbox.endpoint({ url });
    await sandbox.send("order.filled");
    await sandbox.settled();
    const states = () =>
      stream.events().flatMap(({ change }) => (change.kind === "delivery" ? change.delivery.state : []));
    await expect.poll(states).toEqual(["waiting", "sending", "retrying", "sending", "delivered"]);
    const ids = stream.events().map(({ id }) => id);
    expect(ids).toEqual(ids.map((_, place) => revision + place + 1));
    expect(stream.response.headers["content-type"]).toContain("text/event-stream");
    stream.end();
  });

  it("resume after a reconnect from Last-Event-ID, else from the query", async () => {
    const sandbox = await sandboxed();
    const { revision } = (await get(sandbox, "state")).value;
    for (let made = 0; made < 3; made += 1) await sandbox.endpoint({ url: `https://example.com/${made}` });
    const stream = await following(sandbox, { since: revision, lastEventId: String(revision + 2) });
    await expect.poll(() => stream.events().map(({ id }) => id)).toEqual([revision + 3]);
    expect(stream.text()).not.toContain("reset");
    stream.end();
  });

  it.each([["0"], ["99999999999999999"], ["x"], ["1.5"]])("send a reset after an unknown revision: %s", async (id) => {
    const sandbox = await sandboxed();
    const stream = await following(sandbox, { lastEventId: id });
    await expect.poll(stream.text).toContain("event: reset\n");
    await sandbox.endpoint({ url: "https://example.com/" });
    await expect.poll(() => stream.events().length).toBe(1);
    stream.end();
  });

  it("contain forgotten deliveries and removed endpoints", async () => {
    const { url } = await recordingEndpoint();
    const sandbox = await sandboxed({ maxDeliveries: 1 });
    const { revision } = (await get(sandbox, "state")).value;
    const stream = await following(sandbox, { since: revision });
    await sandbox.endpoint({ url });
    const [first] = await sandbox.send("order.filled");
    await sandbox.settled();
    await sandbox.send("order.filled");
    await expect
      .poll(() => stream.events().map(({ change }) => change))
      .toContainEqual(expect.objectContaining({ kind: "deliveries_dropped", ids: [first?.id] }));
    stream.end();
  });

  it("disconnect a page that does not read", async () => {
    const changes = new Changes(() => 0);
    const streams = new EventStreams(changes);
    const server = createServer((_, response) => void streams.open(response, undefined));
    const sent = request(await served(server)).on("error", () => {});
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.on("error", () => {}).pause();
    const change: Change = { kind: "endpoint_removed", now: 0, id: "x".repeat(100_000) };
    const connections = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    for (let sent = 0; sent < 1_000 && (await connections()) === 1; sent += 1) changes.publish(change);
    expect(await connections()).toBe(0);
    streams.close();
    sent.destroy();
  });

  it("are limited to 64 pages at once", async () => {
    const sandbox = await sandboxed();
    const streams = await Promise.all(Array.from({ length: 65 }, () => following(sandbox)));
    expect(streams.map(({ response }) => response.statusCode).toSorted()).toEqual([...Array(64).fill(200), 503]);
    for (const { end } of streams) end();
  });
});

describe("access to the inspector", () => {
  const own = (sandbox: Sandbox, host: string) => `${host}:${new URL(sandbox.url).port}`;

  it.each(["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])("accepts the host %s", async (host) => {
    const sandbox = await sandboxed();
    expect((await call(sandbox, "GET", "/_inspector/state", { host: own(sandbox, host) })).status).toBe(200);
  });

  it("refuses a rebound name and another port", async () => {
    const sandbox = await sandboxed();
    for (const host of [
      own(sandbox, "evil.example"),
      "127.0.0.1:1",
      "localhost",
      own(sandbox, "127.0.0.1.evil.example"),
    ]) {
      for (const path of ["/", "/_inspector/state", "/v1/webhooks"]) {
        expect((await call(sandbox, "GET", path, { host })).status).toBe(421);
      }
    }
  });

  it.each([
    ["another page", { origin: "https://evil.example" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a page without an origin", { origin: "null" }],
    ["a browser that hides the origin", { "sec-fetch-site": "cross-site" }],
  ])("is not %s", async (_, headers) => {
    const { sandbox, id, arrived } = await withDelivery();
    const calls = [`deliveries/${id}/replay`, "replay-parked", "scenarios/order-rejected", "events", "endpoints"];
    for (const path of calls) {
      const body = { event: "order.filled", url: "https://evil.example/" };
      const answer = await call(sandbox, "POST", `/_inspector/${path}`, headers, body);
      expect(answer.status).toBe(403);
    }
    expect(sandbox.endpoints()).toHaveLength(1);
    await sandbox.settled();
    expect(arrived).toHaveLength(1);
  });

  it("is granted to the page itself and to programs", async () => {
    const { sandbox, id } = await withDelivery();
    for (const headers of [{ origin: new URL(sandbox.url).origin, "sec-fetch-site": "same-origin" }, {}]) {
      expect((await call(sandbox, "POST", `/_inspector/deliveries/${id}/duplicate`, headers, {})).status).toBe(200);
    }
  });
});

describe("a sandbox that listens on all addresses", () => {
  const asked = (host: string, origin?: string) => ({ headers: { host, origin } }) as unknown as IncomingMessage;

  it("accepts every IP address and its own name", () => {
    for (const host of ["192.168.1.7:4400", "[fe80::1]:80", "10.0.0.1", "localhost:4400", "dev.internal:4400"]) {
      expect(isOwnHost(asked(host), "dev.internal", 4400)).toBe(true);
    }
    for (const host of ["evil.example:4400", "evil.example", "1.2.3.4.evil.example", "[::1", "user@10.0.0.1", ""]) {
      expect(isOwnHost(asked(host), "0.0.0.0", 4400)).toBe(false);
    }
    expect(isOwnHost(asked("127.0.0.2:4400"), "127.0.0.2", 4400)).toBe(true);
    expect(isOwnHost(asked("127.0.0.2:4400"), "127.0.0.1", 4400)).toBe(false);
    expect(isOwnOrigin(asked("192.168.1.7:4400", "http://192.168.1.7:4400"))).toBe(true);
    for (const origin of ["http://evil.example", "http://192.168.1.9:4400", "http://192.168.1.7:4401", "null"]) {
      expect(isOwnOrigin(asked("192.168.1.7:4400", origin))).toBe(false);
    }
  });
});

describe("every answer", () => {
  it("forbids framing, sniffing, caching and loading anything", async () => {
    const sandbox = await sandboxed();
    for (const path of ["/_inspector/state", "/v1/webhooks", "/nowhere", "/_inspector/nowhere"]) {
      const { headers } = await call(sandbox, "GET", path);
      expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
      expect(headers).not.toHaveProperty("access-control-allow-origin");
    }
  });

  it("of the page allows only its own script and style and forbids framing", async () => {
    const { headers, text } = await call(await sandboxed(), "GET", "/");
    expect(headers["content-security-policy"]).toBe("frame-ancestors 'none'");
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    const [, policy = ""] = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text) ?? [];
    expect(policy).toMatch(/^default-src 'none'; /);
    for (const [directive, element] of [
      ["script-src", "script"],
      ["style-src", "style"],
    ]) {
      const [, content = ""] = new RegExp(`<${element}\\b[^>]*>(.*?)</${element}>`, "s").exec(text) ?? [];
      const hash = createHash("sha256").update(content).digest("base64");
      expect(policy).toContain(`${directive} 'sha256-${hash}'`);
    }
  });
});
