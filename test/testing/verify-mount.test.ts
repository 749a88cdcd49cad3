import { createServer, type Server } from "node:http";
import { gzipSync } from "node:zlib";
import { createAdaptorServer } from "@hono/node-server";
import { bodyParser as koaOrgBodyParser } from "@koa/bodyparser";
import express, { type Express, type RequestHandler } from "express";
import express4 from "express4";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import Koa, { type Middleware } from "koa";
import koaBodyParser from "koa-bodyparser";
import Koa2 from "koa2";
import { describe, expect, it } from "vitest";
import { bluumWebhooks as beforeExpress, bluumHandler as onExpress } from "../../adapters/express.ts";
import { bluumHandler as onFetch } from "../../adapters/fetch.ts";
import { bluumWebhooks as beforeHono, bluumHandler as onHono } from "../../adapters/hono.ts";
import { bluumWebhooks as beforeKoa, bluumHandler as onKoa } from "../../adapters/koa.ts";
import { bluumHandler as onNode } from "../../adapters/node.ts";
import {
  createReceiver,
  type DeliveryReport,
  hmacSignature,
  type Receiver,
  type ReceiverOptions,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
  WebhookError,
} from "../../src/index.ts";
import { PING_TYPE } from "../../src/router/router.ts";
import {
  type MountCause,
  MountError,
  type MountTarget,
  type VerifyMountOptions,
  verifyMount,
} from "../../src/testing/index.ts";
import * as pings from "../../src/testing/verify-mount/pings.ts";
import { PATH, type Passing, proxied, raw, served } from "./mounts/servers.ts";

const secret = "the-secret-of-a-mount-0123456789";
const shared = `whsec_${Buffer.from(secret).toString("base64")}`;

/** A receiver that fails the test if anything reaches its handlers. */
function receiver(options: Partial<ReceiverOptions> = {}): Receiver {
  return createReceiver({ secret, logger: false, ...options }).on("*", () => {
    throw new Error("a ping reached a handler");
  });
}

/** An Express app with something before the receiver. */
function expressWith(...before: RequestHandler[]): Express {
  const app = express();
  for (const each of before) app.use(each);
  return app.post(PATH, onExpress(receiver()));
}

/** A Koa app with something before the receiver. */
function koaWith(...before: Middleware[]): ReturnType<Koa["callback"]> {
  const app = new Koa();
  app.silent = true;
  for (const each of before) app.use(each);
  return app.use(onKoa(receiver())).callback();
}

/** A Hono app with something before the receiver. */
function honoWith(...before: Parameters<Hono["use"]>[1][]): Hono {
  const app = new Hono().onError((_error, c) => c.text("failed", 500));
  for (const each of before) app.use(each);
  return app.post(PATH, onHono(receiver())) as unknown as Hono;
}

function honoOnNode({ fetch }: Hono): Promise<string> {
  return served(createAdaptorServer({ fetch }) as Server);
}

const sound = (options: Partial<ReceiverOptions> = {}) => served(onNode(receiver(options)));

/** The error with which verifyMount refuses a mount. */
async function errorOf(target: MountTarget, options: Partial<VerifyMountOptions> = {}): Promise<MountError> {
  const error = await verifyMount(target, { secret, ...options }).then(
    (report) => expect.fail(`found sound: ${JSON.stringify(report)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MountError);
  const mount = error as MountError;
  expect(mount).toMatchObject({ code: "mount_broken", name: "MountError" });
  for (const { cause, message, remedy } of mount.findings)
    expect(mount.message).toContain(`${cause}: ${message} ${remedy}`);
  expect(mount.message).not.toContain(options.secret ?? secret);
  return mount;
}

async function causesOf(target: MountTarget, options: Partial<VerifyMountOptions> = {}): Promise<MountCause[]> {
  return (await errorOf(target, options)).findings.map(({ cause }) => cause);
}

/** Expects one finding with a matching message. */
async function expectFinding(
  target: MountTarget | Promise<MountTarget>,
  cause: MountCause,
  message: RegExp = /./,
  options: Partial<VerifyMountOptions> = {},
): Promise<void> {
  const { findings } = await errorOf(await target, options);
  expect(findings).toMatchObject([{ cause, message: expect.stringMatching(message) }]);
}

describe.concurrent("a sound mount", () => {
  const kept = { verify: (req: object, _res: unknown, bytes: Buffer) => void Object.assign(req, { rawBody: bytes }) };
  it.each<[string, () => Promise<MountTarget> | MountTarget]>([
    ["Express 5, handler", () => served(expressWith())],
    [
      "Express 5, middleware",
      () => served(express().post(PATH, beforeExpress(receiver()), (_req, res) => void res.sendStatus(204))),
    ],
    ["Express 4", () => served(express4().post(PATH, onExpress(receiver())))],
    ["Express behind express.json() that keeps the bytes", () => served(expressWith(express.json(kept)))],
    ["Express behind express.raw()", () => served(expressWith(express.raw({ type: "*/*" })))],
    ["Express behind express.urlencoded(), which spares JSON", () => served(expressWith(express.urlencoded()))],
    ["Koa 3, handler", () => served(koaWith())],
    ["Koa 3, middleware", () => served(new Koa().use(beforeKoa(receiver())).callback())],
    ["Koa 2", () => served(new Koa2().use(onKoa(receiver())).callback())],
    ["Hono by app.request", () => honoWith().request],
    ["Hono by app.fetch", () => honoWith().fetch],
    ["Hono, middleware", () => new Hono().post(PATH, beforeHono(receiver()), (c) => c.body(null, 204)).request],
    ["Hono on Node", () => honoOnNode(honoWith())],
    ["node:http", () => sound()],
    ["fetch", () => onFetch(receiver())],
    ["behind a proxy that changes nothing", async () => proxied(await sound(), (passing) => passing)],
    ["as a URL", async () => new URL(await sound())],
  ])("%s passes", async (_name, target) => {
    const report = await verifyMount(await target(), { secret });
    expect(report).toMatchObject({
      where: expect.stringMatching(/^http:\/\/.*\/webhooks\/bluum$/),
      probes: 4,
      bodyBytes: 65_536,
    });
    expect(report.roundTripMs).toBeGreaterThan(0);
    expect(Math.abs(report.clockSkewMs ?? 0)).toBeLessThan(2_000);
  });

  it.each<[string, (made: Receiver) => MountTarget | Promise<MountTarget>]>([
    ["over HTTP", (made) => served(onNode(made))],
    ["in this process", (made) => onFetch(made)],
  ])("%s marks probes in its log and reports", async (_name, mounted) => {
    const lines: string[] = [];
    const reports: DeliveryReport[] = [];
    const log = (line: string) => void lines.push(line);
    const logging = receiver({ logger: { warn: log, error: log }, observe: (report) => void reports.push(report) });
    const { probes } = await verifyMount(await mounted(logging), { secret });
    expect(reports).toHaveLength(probes);
    for (const report of reports) expect(report.probe).toBe(true);
    expect(lines.map((line) => line.split(":")[1]?.trim()).sort()).toEqual(["signature_mismatch", "signature_missing"]);
    for (const line of lines) expect(line).toContain("claims to be a probe of verifyMount");
  });

  it.each<[string, SignatureScheme, string]>([
    ["a plain HMAC", hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" }), secret],
    ["a signed timestamp", timestampedSignature({ header: "Stripe-Signature" }), secret],
    ["Standard Webhooks", standardWebhooksSignature(), shared],
  ])("passes under %s", async (_name, scheme, theirs) => {
    await expect(
      verifyMount(onFetch(receiver({ scheme, secret: theirs })), { scheme, secret: theirs }),
    ).resolves.toBeDefined();
  });

  it("passes while a secret is rotated, without a handler, and with a parser of the user's own", async () => {
    const receiver = createReceiver({
      secret: ["another-secret-of-16-bytes", secret],
      logger: false,
      parseJson: (text) => JSON.parse(text),
    });
    await verifyMount(onFetch(receiver), { secret });
  });

  it("gets the given headers, path and query, and no other URL is called", async () => {
    const seen: string[] = [];
    const inner = onFetch(receiver());
    const gated = (request: Request) => {
      seen.push(new URL(request.url).pathname);
      return request.headers.get("x-pass") === "let me in" ? inner(request) : new Response("log in", { status: 401 });
    };
    await verifyMount(gated, { secret, path: "/hooks", headers: { "X-Pass": "let me in" } });
    expect(new Set(seen)).toEqual(new Set(["/hooks"]));
    const url = `${await sound()}?token=1`;
    expect((await verifyMount(url, { secret })).where).not.toContain("token");
  });

  it("never touches the store", async () => {
    const store = {
      claim: () => Promise.reject(new Error("asked")),
      renew: async () => true,
      complete: async () => "stored" as const,
      release: async () => true,
    };
    await verifyMount(onFetch(receiver({ store: store as never, namespace: "mount" })), { secret });
  });

  it("gets no event that could be claimed: every JSON body is a ping", () => {
    const bodies = [pings.PLAIN, pings.PING, pings.pingOf(0), pings.pingOf(5_000), ...Object.values(pings.FRAGILE)];
    for (const body of bodies) expect(JSON.parse(body)).toMatchObject({ event: PING_TYPE });
    expect(() => JSON.parse(pings.BROKEN)).toThrow(SyntaxError);
    expect(pings.pingOf(5_000)).toHaveLength(5_000);
  });
});

describe.concurrent("a parser that read the body", () => {
  it("express.json()", () =>
    expectFinding(served(expressWith(express.json())), "body_parsed", /looks like express\.json\(\)\./));
  it("express.json() with express.urlencoded()", () =>
    expectFinding(
      served(expressWith(express.json(), express.urlencoded())),
      "body_parsed",
      /express\.json\(\) with express\.urlencoded\(\)/,
    ));
  it("express.json() of Express 4", () =>
    expectFinding(
      served(express4().use(express4.json()).post(PATH, onExpress(receiver()))),
      "body_parsed",
      /express\.json\(\)\./,
    ));
  it('express.json({ type: "*/*" })', () =>
    expectFinding(
      served(expressWith(express.json({ type: "*/*" }))),
      "body_parsed",
      /looks like express\.json\({ type: "\*\/\*" }\)/,
    ));
  it('express.text({ type: "*/*" })', () =>
    expectFinding(
      served(expressWith(express.text({ type: "*/*" }))),
      "body_parsed",
      /express\.text\({ type: "\*\/\*" }\)/,
    ));
  it('express.urlencoded({ type: "*/*" })', () =>
    expectFinding(
      served(expressWith(express.urlencoded({ type: "*/*" }))),
      "body_parsed",
      /every body, with any content type/,
    ));
  it("koa-bodyparser", () =>
    expectFinding(served(koaWith(koaBodyParser() as Middleware)), "body_parsed", /koa-bodyparser/));
  it("@koa/bodyparser", () =>
    expectFinding(served(koaWith(koaOrgBodyParser() as Middleware)), "body_parsed", /koa-bodyparser/));
  it("c.req.json() in a middleware of Hono", () =>
    expectFinding(
      honoWith(async (c, next) => {
        await c.req.json();
        await next();
      }).request,
      "body_parsed",
      /c\.req\.json\(\)/,
    ));
  it("a logger that reads the stream", () =>
    expectFinding(
      served((req, res) => void req.resume().once("end", () => onNode(receiver())(req, res))),
      "body_parsed",
      /request logger/,
    ));
});

describe.concurrent("a body that was changed on the way", () => {
  const printedAgain = ({ headers, body }: Passing) => ({
    headers,
    body: Buffer.from(JSON.stringify(JSON.parse(String(body) || "{}"))),
  });
  const compressed = ({ headers, body }: Passing) => ({
    headers: { ...headers, "content-encoding": "gzip" },
    body: gzipSync(body),
  });

  it("a proxy that parses the JSON and prints it again", async () =>
    expectFinding(proxied(await sound(), printedAgain), "body_reserialized", /white space.*numbers.*escapes/));
  it("a Hono middleware that parses and prints it again", () =>
    expectFinding(
      honoWith(async (c, next) => {
        c.req.raw = new Request(c.req.raw, { body: JSON.stringify(await c.req.raw.json()) });
        await next();
      }).request,
      "body_reserialized",
    ));
  it("a proxy that takes UTF-8 for Latin-1", async () =>
    expectFinding(
      proxied(await sound(), ({ headers, body }) => ({ headers, body: Buffer.from(body.toString("latin1")) })),
      "body_transcoded",
      /outside ASCII/,
    ));
  it("a proxy that compresses", async () =>
    expectFinding(proxied(await sound(), compressed), "body_compressed", /Content-Encoding/));
  it("a proxy that compresses large bodies", async () =>
    expectFinding(
      proxied(await sound(), (passing) => (passing.body.length > 1_000 ? compressed(passing) : passing)),
      "body_compressed",
      /65536 bytes/,
    ));
  it("a proxy that compresses without a Content-Encoding", async () =>
    expectFinding(
      proxied(await sound(), ({ headers, body }) => ({ headers, body: body.length === 0 ? body : gzipSync(body) })),
      "body_altered",
      /compressed/,
    ));
  it.each([
    [100, /shorter one does not/],
    [10_000, /65536 bytes arrives incomplete or changed; one of 8192 bytes passes/],
  ])("a proxy that cuts at %i bytes", async (limit, message) =>
    expectFinding(
      proxied(await sound(), ({ headers, body }) => ({ headers, body: body.subarray(0, limit) })),
      "body_truncated",
      message,
    ),
  );
});

describe.concurrent("a limit on bodies", () => {
  it("maxBodyBytes of the receiver", async () =>
    expectFinding(
      sound({ maxBodyBytes: 20_000 }),
      "body_limit",
      /65536 bytes is answered 413.*one of 16384 bytes passes/,
    ));
  it("too small even for a ping", async () => expectFinding(sound({ maxBodyBytes: 40 }), "body_limit", /Even a body/));
  it("hono/body-limit before the receiver", () =>
    expectFinding(honoOnNode(honoWith(bodyLimit({ maxSize: 1_000 }))), "body_limit", /512 bytes passes/));
  it("express.raw()", () =>
    expectFinding(served(expressWith(express.raw({ type: "*/*", limit: "5kb" }))), "body_limit", /4096 bytes/));
  it("is searched up to bodyBytes", async () => {
    await verifyMount(await sound({ maxBodyBytes: 20_000 }), { secret, bodyBytes: 20_000 });
    await verifyMount(await sound({ maxBodyBytes: 2_000 }), { secret, bodyBytes: 0 });
    await expectFinding(sound(), "body_limit", /2000000 bytes/, { bodyBytes: 2_000_000 });
  });
});

describe.concurrent("another signature", () => {
  const timestamped = timestampedSignature({ header: "Stripe-Signature" });

  it("another secret", async () => expectFinding(sound({ secret: "some-other-secret-0123456789" }), "wrong_secret"));
  it("another secret of Standard Webhooks", async () => {
    const scheme = standardWebhooksSignature();
    const other = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
    await expectFinding(sound({ scheme, secret: other }), "wrong_secret", /./, { scheme, secret: shared });
  });
  it.each<[string, SignatureScheme, RegExp]>([
    ["Standard Webhooks", standardWebhooksSignature(), /verifies by standardWebhooksSignature\(\)/],
    [
      "base64",
      hmacSignature({ header: "X-Bluum-Signature", encoding: "base64" }),
      /hmacSignature\({ header: "X-Bluum-Signature", encoding: "base64" }\)/,
    ],
    ["SHA-512", hmacSignature({ header: "X-Bluum-Signature", algorithm: "sha512" }), /algorithm: "sha512"/],
    [
      "a key in base64",
      hmacSignature({ header: "X-Bluum-Signature", secretEncoding: "base64" }),
      /secretEncoding: "base64"/,
    ],
    [
      "a timestamp",
      timestampedSignature({ header: "X-Bluum-Signature" }),
      /timestampedSignature\({ header: "X-Bluum-Signature" }\)/,
    ],
    [
      "GitHub's form",
      hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" }),
      /header: "X-Hub-Signature-256", prefix: "sha256="/,
    ],
    ["Stripe's form", timestamped, /timestampedSignature\({ header: "Stripe-Signature" }\)/],
  ])("another scheme: %s", async (_name, scheme, message) => {
    const both = `whsec_${Buffer.from("a secret of 32 bytes for testing").toString("base64")}`;
    const theirs = scheme.name === "standard-webhooks" ? both : Buffer.from(secret).toString("base64");
    await expectFinding(sound({ scheme, secret: theirs }), "wrong_scheme", message, { secret: theirs });
  });
  it("a form that no scheme of this package has", async () => {
    const scheme = hmacSignature({ header: "X-Bluum-Signature", prefix: "our-own:" });
    await expectFinding(sound({ scheme }), "wrong_scheme", /expects another form/);
  });
  it("another header", async () =>
    expectFinding(
      sound({ scheme: hmacSignature({ header: "X-Webhook-Signature" }) }),
      "wrong_header",
      /X-Webhook-Signature, not from X-Bluum-Signature/,
    ));
  it("another header for a signed timestamp", async () =>
    expectFinding(sound({ scheme: timestamped }), "wrong_header", /Stripe-Signature/, {
      scheme: timestampedSignature({ header: "X-Signature" }),
    }));
  it("another header and another secret", async () =>
    expectFinding(
      sound({ scheme: hmacSignature({ header: "X-Signature" }), secret: "some-other-secret-0123456789" }),
      "wrong_header",
      /X-Signature,.*secret may be wrong, too/,
    ));
  it("a proxy that drops the header", async () =>
    expectFinding(
      proxied(await sound(), ({ headers: { "x-bluum-signature": _, ...headers }, body }) => ({ headers, body })),
      "header_stripped",
      /got no X-Bluum-Signature/,
    ));
  it("a proxy that drops one of the headers of Standard Webhooks", async () => {
    const scheme = standardWebhooksSignature();
    const behind = await sound({ scheme, secret: shared });
    const stripped = proxied(behind, ({ headers: { "webhook-timestamp": _, ...headers }, body }) => ({
      headers,
      body,
    }));
    await expectFinding(stripped, "header_stripped", /./, { scheme, secret: shared });
  });
});

describe.concurrent("clocks that differ", () => {
  const scheme = timestampedSignature({ header: "X-Signature" });
  const skewed = (skewMs: number, options: Partial<ReceiverOptions> = {}) =>
    receiver({ scheme, now: () => Date.now() + skewMs, ...options });
  /** A server whose whole clock is wrong, with its Date header. */
  const withDate = (skewMs: number, options: Partial<ReceiverOptions> = {}) =>
    served((req, res) => {
      res.setHeader("date", new Date(Date.now() + skewMs).toUTCString());
      return onNode(skewed(skewMs, options))(req, res);
    });

  it.each([
    [12 * 60_000, /about 12 min ahead of this machine's\./],
    [-45 * 60_000, /about 45 min behind this machine's\./],
    [-30 * 3_600_000, /about 30 h behind this machine's\./],
  ])("by %i ms, as the answer's Date tells", async (skewMs, message) =>
    expectFinding(withDate(skewMs), "clock_skew", message, { scheme }),
  );
  it.each([
    [-2 * 3_600_000, /about 2 h behind this machine's, give or take/],
    [9 * 3_600_000, /about 9 h ahead of/],
    [20 * 60_000, /about 20 min ahead of/],
  ])("by %i ms, though the Date tells nothing", async (skewMs, message) =>
    expectFinding(onFetch(skewed(skewMs)), "clock_skew", message, { scheme }),
  );
  it("by years, with a difference that cannot be found", async () =>
    expectFinding(onFetch(receiver({ scheme, now: () => 0 })), "clock_skew", /none of the differences/, { scheme }));
  it("and a wrong secret", async () => {
    const target = await withDate(3_600_000, { secret: "some-other-secret-0123456789" });
    expect(await causesOf(target, { scheme })).toEqual(["clock_skew", "wrong_secret"]);
  });
});

describe.concurrent("another route", () => {
  it("another path", async () =>
    expectFinding(served(onlyAt("/webhooks"), "/webhook"), "wrong_path", /POST is answered 404/));
  it("another path than that of an app that answers every GET", async () =>
    expectFinding(
      served(
        express()
          .post("/x", onExpress(receiver()))
          .get("/*rest", (_req, res) => void res.send("<h1>Shop</h1>")),
      ),
      "wrong_path",
    ));
  it("a path with or without its trailing slash", async () => {
    await expectFinding(served(onlyAt("/webhooks/"), "/webhooks"), "wrong_path", /answers at \/webhooks\/\./);
    await expectFinding(served(onlyAt("/webhooks"), "/webhooks/"), "wrong_path", /answers at \/webhooks\./);
  });
  it("only the host", async () =>
    expectFinding(served(expressWith(), "/"), "wrong_path", /answers at \/webhooks\/bluum/));
  it("a receiver that is mounted for GET", async () =>
    expectFinding(
      served(express().get(PATH, onExpress(receiver()))),
      "wrong_method",
      /GET requests to this path reach/,
    ));
  it("a route that allows other methods", async () =>
    expectFinding(
      served((_req, res) => void res.writeHead(405, { allow: "GET, PUT" }).end()),
      "wrong_method",
      /POST is answered 405.*Allowed are: GET, PUT/,
    ));
  it("a middleware that changes the method", async () =>
    expectFinding(
      served((req, res) => {
        req.method = "PUT";
        return onNode(receiver())(req, res);
      }),
      "wrong_method",
      /got another method/,
    ));
  it("a redirect, which is not followed", async () => {
    const followed: string[] = [];
    const elsewhere = await served((req, res) => {
      followed.push(req.url ?? "");
      res.end();
    }, "/elsewhere?token=1");
    await expectFinding(
      served((_req, res) => void res.writeHead(308, { location: elsewhere }).end()),
      "redirected",
      /\(308\) to http:\/\/127\.0\.0\.1:\d+\/elsewhere\.$/,
    );
    expect(followed).toEqual([]);
  });
  it.each([401, 403, 429])("a guard that answers %i", async (status) =>
    expectFinding(
      served((_req, res) => void res.writeHead(status).end("Log in first")),
      "access_denied",
      /Log in first/,
    ),
  );
  it("another app, with a page of its own", async () =>
    expectFinding(
      served(
        (_req, res) => void res.setHeader("content-type", "text/html").end("<title>Shop</title><script>1</script>"),
      ),
      "other_app",
      /200 text\/html "Shop"/,
    ));
  it("another app, whose errors look like ours", async () =>
    expectFinding(
      served((_req, res) => void res.writeHead(400).end('{"error":{"code":"constructor"}}')),
      "other_app",
    ));
  it("an app that throws", async () => {
    await expectFinding(() => Promise.reject(new Error("no database")), "app_failed", /no database/);
    await expectFinding(() => undefined as never, "app_failed");
    await expectFinding(
      served((_req, res) => void res.writeHead(500).end("Internal Server Error")),
      "app_failed",
      /500/,
    );
  });
  it("a receiver that is not ready", async () => {
    const closing = receiver();
    await closing.close();
    await expectFinding(onFetch(closing), "not_ready", /503.*receiver_closed/);
    const noSecret = receiver({ secret: () => Promise.reject(new Error("down")) });
    await expectFinding(onFetch(noSecret), "not_ready", /secret_unavailable/);
    await expectFinding(
      served((_req, res) => void res.writeHead(502).end("Bad Gateway")),
      "not_ready",
      /502/,
    );
  });
  it("a port without a listener", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    await expectFinding(`http://127.0.0.1:${port}/`, "no_connection", /ECONNREFUSED/);
  });
  it("https to a server that speaks http", async () =>
    expectFinding((await sound()).replace("http:", "https:"), "tls_failed", /SSL/));
  it("a server that never answers", async () =>
    expectFinding(
      served(() => {}),
      "timed_out",
      /./,
      { timeoutMs: 100 },
    ));
  it("an app in this process that never answers", async () =>
    expectFinding(() => new Promise(() => {}), "timed_out", /./, { timeoutMs: 50 }));
  it("a signal that is aborted before or during the check", async () => {
    await expectFinding(
      served(() => {}),
      "aborted",
      /./,
      { signal: AbortSignal.abort() },
    );
    const controller = new AbortController();
    const target = await served(() => controller.abort());
    await expectFinding(target, "aborted", /./, { signal: controller.signal });
  });
});

describe.concurrent("a mount that lets forgeries through", () => {
  it("an app that acknowledges everything", async () => {
    await expectFinding(
      served((_req, res) => void res.end("OK")),
      "forgery_accepted",
      /nothing is verified/,
    );
    await expectFinding(
      served((_req, res) => void res.writeHead(204).end()),
      "forgery_accepted",
    );
    await expectFinding(
      served((_req, res) => void res.end('{"received":true}')),
      "forgery_accepted",
    );
  });
  it("a route that bypasses the receiver for unsigned requests", () =>
    expectFinding(
      (request: Request) => (request.headers.has("x-bluum-signature") ? onFetch(receiver())(request) : new Response()),
      "forgery_accepted",
      /An unsigned request is answered 200/,
    ));
  it("a guard that only checks whether there is a signature", () =>
    expectFinding(
      (request: Request) =>
        new Response('{"received":true,"ping":true}', { status: request.headers.has("x-bluum-signature") ? 200 : 401 }),
      "forgery_accepted",
      /signature of another body/,
    ));
});

describe("options that cannot work", () => {
  it.each<[string, MountTarget, Partial<VerifyMountOptions>]>([
    ["secret", "http://localhost/", { secret: undefined }],
    ["secret", "http://localhost/", { secret: "short" }],
    ["the URL", "/webhooks/bluum", {}],
    ["the URL", "ftp://localhost/", {}],
    ["the URL", "http://user:pass@localhost/", {}],
    ["path", "http://localhost/", { path: "/x" }],
    ["path", () => new Response(), { path: "x" }],
    ["path", () => new Response(), { path: "//other.example/x" }],
    ["headers", "http://localhost/", { headers: { "not a name": "" } }],
    ["bodyBytes", "http://localhost/", { bodyBytes: -1 }],
    ["timeoutMs", "http://localhost/", { timeoutMs: 0 }],
  ])("names %s", async (option, target, options) => {
    const refusal = verifyMount(target, { secret, ...options } as VerifyMountOptions);
    await expect(refusal).rejects.toBeInstanceOf(WebhookError);
    await expect(refusal).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining(option),
    });
  });
});

describe.concurrent("a server that answers anything", () => {
  it("its text is cut, printable, and without secret and signature", async () => {
    const plain = "a secret in plain words";
    const echo = await served((req, res) => {
      res.writeHead(400).end(`<b>${plain}</b>\n\u0007${JSON.stringify(req.headers)}${"x ".repeat(9_999)}`);
    });
    const { message } = await errorOf(echo, { secret: plain });
    expect(message).toContain("…");
    expect(message.length).toBeLessThan(500);
    expect(message).not.toContain("\u0007");
    expect(message).not.toMatch(/[0-9a-f]{64}/);
    const inHeader = served((_req, res) => void res.writeHead(405, { allow: plain }).end());
    await expectFinding(inHeader, "wrong_method", /Allowed are: …\./, { secret: plain });
  });
  it("no probe goes to another host, even for an odd path", async () => {
    const paths: string[] = [];
    const url = await served((req, res) => {
      paths.push(req.url ?? "");
      res.writeHead(404).end();
    }, "//other.invalid/x/");
    await expectFinding(url, "wrong_path");
    expect(paths).toContain("//other.invalid/x");
  });
  it("a connection closed at once is no_connection", async () =>
    expectFinding(
      raw((socket) => socket.destroy()),
      "no_connection",
    ));
  it("a server that does not speak HTTP is another app", async () =>
    expectFinding(
      raw((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")),
      "other_app",
      /not speak HTTP/,
    ));
});

function onlyAt(path: string): Express {
  return express().enable("strict routing").post(path, onExpress(receiver())) as Express;
}
