import { inspect } from "node:util";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { Pool } from "pg";
import PgBoss from "pg-boss10";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { refusal, replyTo } from "../src/adapter.ts";
import { createBluumClient } from "../src/client/index.ts";
import { bullmqInbox } from "../src/inbox/bullmq.ts";
import { pgBossInbox } from "../src/inbox/pg-boss.ts";
import { queueInbox } from "../src/inbox/queue.ts";
import { sqliteInbox } from "../src/inbox/sqlite.ts";
import {
  bluumSignature,
  createReceiver,
  type DeliveryContext,
  type DeliveryReport,
  hmacSignature,
  type Inbox,
  memoryStore,
  type ReceiverOptions,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
} from "../src/index.ts";
import { createSandbox } from "../src/sandbox/index.ts";
import { postgresStore } from "../src/stores/postgres.ts";
import { redisStore } from "../src/stores/redis.ts";
import { sampleEvent, signDelivery, verifyMount } from "../src/testing/index.ts";
import { findRedis } from "./services/redis.ts";
import { engines, freshFile } from "./stores/sqlite-engines.ts";

const KEY = "a key that nobody may see";
const WHSEC = `whsec_${Buffer.from(KEY).toString("base64")}`;
const SCHEMES: readonly (readonly [SignatureScheme, string])[] = [
  [bluumSignature(), KEY],
  [hmacSignature({ header: "X-Sig", algorithm: "sha512", secretEncoding: "hex" }), Buffer.from(KEY).toString("hex")],
  [timestampedSignature({ header: "X-Sig" }), WHSEC],
  [standardWebhooksSignature(), WHSEC],
];

/** Every text in which one could read these bytes. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // The key of an HMAC, mixed with its two constants (RFC 2104), is as good as the key.
  return [bytes, bytes.map((byte) => byte ^ 0x36), bytes.map((byte) => byte ^ 0x5c)].flatMap((each) => {
    const buffer = Buffer.from(each);
    const texts = (["utf8", "hex", "base64", "base64url"] as const).map((encoding) => buffer.toString(encoding));
    return [...texts.map((text) => text.replace(/=+$/, "")), [...each].join(",")];
  });
}

/** What a program shows that prints a value, or writes it as JSON; with and without what separates bytes. */
function printed(value: unknown): string {
  const options = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null };
  const text = inspect(value, options) + (JSON.stringify(value) ?? "");
  return `${text}\n${text.replace(/"\d+":/g, "").replace(/\s+/g, "")}`;
}

function expectNoneOf(secrets: readonly string[], shown: Readonly<Record<string, unknown>>): void {
  for (const [what, value] of Object.entries(shown)) {
    const text = printed(value);
    expect([what, secrets.flatMap(formsOf).filter((form) => text.includes(form))]).toEqual([what, []]);
  }
}

it("the search finds a secret in every form in which it may be printed", () => {
  const bytes = Buffer.from(KEY);
  const shapes = [KEY, { a: [{ b: KEY }] }, bytes, new Uint8Array(bytes), bytes.toString("base64"), new Error(KEY)];
  for (const shape of [...shapes, { padded: bytes.map((byte) => byte ^ 0x36) }])
    expect(() => expectNoneOf([KEY], { shape })).toThrow();
});

/** Everything that a program is handed while these deliveries come. */
async function receive(options: ReceiverOptions, secret: string) {
  const { scheme = bluumSignature() } = options;
  const logged: unknown[] = [];
  const reports: DeliveryReport[] = [];
  const log = (...line: unknown[]) => void logged.push(line);
  const receiver = createReceiver({
    logger: { warn: log, error: log },
    observe: (report) => void reports.push(report),
    ...options,
  });
  const contexts: DeliveryContext[] = [];
  for (const name of ["one", "two"]) receiver.on("*", (_, context) => void contexts.push(context), { name });
  const sign = (event: object, by = secret) => {
    const { body, ...rest } = signDelivery({ secret: by, scheme, event });
    return { ...rest, body: Buffer.from(body as string), request: {} };
  };
  const delivery = sign(sampleEvent("order.filled"));
  const accepted = await receiver.receive(delivery);
  const inFlight = await receiver.receive({ ...delivery, request: {} });
  const settled = accepted.kind === "accepted" ? await accepted.settle("processed") : undefined;
  const duplicate = await receiver.receive({ ...delivery, request: {} });
  const ping = await receiver.receive(sign({ event: "bluum-webhooks.ping" }));
  const rejected = await receiver.receive({ ...delivery, body: Buffer.from("{}"), request: {} });
  const handled = await receiver.handle(sign(sampleEvent("order.accepted")));
  const outcomes = { accepted, inFlight, duplicate, ping, rejected };
  return { receiver, request: delivery.request, outcomes, settled, handled, contexts, logged, reports };
}

describe("no secret is printed by", () => {
  it.each(SCHEMES)("what a receiver hands out: $name", async (scheme, secret) => {
    for (const option of [secret, [secret, secret], async () => secret]) {
      const { outcomes, ...others } = await receive({ secret: option, scheme }, secret);
      const kinds = ["accepted", "in_flight", "duplicate", "ping", "rejected"];
      expect(Object.values(outcomes).map(({ kind }) => kind)).toEqual(kinds);
      expect(others.contexts).toHaveLength(2);
      const { accepted } = outcomes;
      const parts = accepted.kind === "accepted" ? { event: accepted.event, context: accepted.context } : {};
      const replies = { replies: [...Object.values(outcomes).map(replyTo), refusal("secret_unavailable")] };
      expectNoneOf([secret, KEY], { ...outcomes, ...others, ...parts, ...replies });
    }
  });

  it.each(SCHEMES)("a scheme and its prepared key: $name", (scheme, secret) => {
    expectNoneOf([secret, KEY], { scheme, key: scheme.prepare(secret) });
  });

  it("the refusal of a secret that cannot work, at creation or from a function", async () => {
    const unusable = ["a short one", ` ${KEY}`, `whpk_${Buffer.from(KEY).toString("base64")}`];
    for (const secret of unusable) {
      let refused: unknown;
      try {
        createReceiver({ secret });
      } catch (error) {
        refused = error;
      }
      expect(refused).toBeInstanceOf(Error);
      const { outcomes, logged, reports } = await receive({ secret: () => secret }, KEY);
      expect(outcomes.accepted).toMatchObject({ error: { code: "secret_unavailable" } });
      expectNoneOf([secret.trim()], { refused, ...outcomes, logged, reports });
    }
  });

  it("stores, and what comes of a delivery under one whose client has a password", async () => {
    const password = "the password of the database";
    const redis = new Redis({ lazyConnect: true, password });
    const pool = new Pool({ host: "127.0.0.1", port: 1, password });
    const stores = { memory: memoryStore(), redis: redisStore(redis), postgres: postgresStore(pool) };
    expectNoneOf([password], stores);
    for (const onStoreError of ["accept", "reject"] as const) {
      const options: ReceiverOptions = { secret: KEY, store: stores.postgres, namespace: "printed", onStoreError };
      const { outcomes, ...others } = await receive(options, KEY);
      expect(outcomes.accepted.kind).toBe(onStoreError === "accept" ? "accepted" : "rejected");
      expectNoneOf([KEY, password], { ...outcomes, ...others });
    }
    redis.disconnect();
    await pool.end();
  });

  it("the client of the management API, and its errors", async () => {
    const credentials = { apiKey: "the-key-of-the-api", apiSecret: "the-secret-of-the-api" };
    const basic = Buffer.from(`${credentials.apiKey}:${credentials.apiSecret}`).toString("base64");
    const answers = [
      async () => new Response(JSON.stringify({ error: { message: `no: ${basic}` } }), { status: 401 }),
      () => Promise.reject(new Error(`no route for ${credentials.apiSecret}`)),
    ];
    for (const fetch of answers) {
      const client = createBluumClient({ ...credentials, baseUrl: "sandbox", retries: 0, fetch });
      const error = await client.webhooks.list().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expectNoneOf([...Object.values(credentials), basic], { client, error });
    }
  });

  it("a signed delivery, and the finding of a mount that has another secret", async () => {
    const app = async () => new Response('{"error":{"code":"signature_mismatch"}}', { status: 401 });
    const found = await verifyMount(app, { secret: KEY }).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(Error);
    expectNoneOf([KEY], { found, signed: signDelivery({ secret: KEY, event: sampleEvent("order.filled") }) });
  });
});

const redis = await findRedis();
afterAll(() => redis?.stop());

/** Collects what a receiver tells while it is used. */
function observed() {
  const told: unknown[] = [];
  const tell = (...line: unknown[]) => void told.push(line);
  return { told, options: { secret: KEY, namespace: "printed", logger: { warn: tell, error: tell }, observe: tell } };
}

function deliveryOf(event: object = sampleEvent("order.filled")) {
  const { body, ...rest } = signDelivery({ secret: KEY, event });
  return { ...rest, body: Buffer.from(body as string), request: {} };
}

/** What a promise came to, whichever way. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

/** Everything that a program is handed of an inbox that a receiver uses while its server is away, or refuses it. */
async function useInbox(inbox: Inbox) {
  const { told, options } = observed();
  const receiver = createReceiver({ ...options, inbox });
  receiver.on("*", () => {});
  const worker = receiver.work({ pollMs: 50 });
  const calls = [inbox.stats(), inbox.parked(), inbox.redrive({ all: true }), inbox.discard({ keys: ["a"] })];
  const [reply, forgotten, ...errors] = await Promise.all([
    receiver.handle(deliveryOf()),
    outcomeOf(receiver.forget({ type: "order.filled", id: "a" })),
    ...calls.map(outcomeOf),
  ]);
  expect(reply.status).toBe(503);
  for (const error of [...errors, forgotten]) expect(error).toBeInstanceOf(Error);
  // The worker has met the failure, too.
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(2), { timeout: 10_000 });
  await receiver.close({ timeoutMs: 0 });
  return { inbox, store: inbox.store, receiver, worker, reply, errors, forgotten, told };
}

describe("no secret and no password is printed by an inbox", { concurrent: true }, () => {
  const password = "the password of the database";

  it("on SQLite, and by its parked events", async () => {
    const { file, remove } = freshFile();
    const database = (engines[0] as (typeof engines)[number]).open(file);
    database.exec("PRAGMA synchronous = FULL");
    const { told, options } = observed();
    const inbox = sqliteInbox(database, { retry: { attempts: 1 } });
    const receiver = createReceiver({ ...options, inbox });
    const contexts: DeliveryContext[] = [];
    receiver.on("*", (_, context) => {
      contexts.push(context);
      throw new Error("no luck");
    });
    const delivery = deliveryOf();
    const authorized = { ...delivery, headers: { ...delivery.headers, authorization: `Basic ${password}` } };
    const worker = receiver.work({ pollMs: 20 });
    const replies = [await receiver.handle(authorized), await receiver.handle(deliveryOf(sampleEvent("kyc.approved")))];
    await vi.waitFor(async () => expect((await inbox.stats()).parked).toBe(2));
    const parked = await inbox.parked();
    const failed = await outcomeOf(receiver.process(parked.events[0]?.message));
    expect(failed).toBeInstanceOf(Error);
    expect(contexts).toHaveLength(3);
    await receiver.close();
    database.close();
    remove();
    const shown = { inbox, store: inbox.store, receiver, worker, replies, parked, failed, contexts, told };
    expectNoneOf([KEY, password], shown);
  });

  it("on BullMQ while Redis is away", async () => {
    const inbox = bullmqInbox({ Queue, Worker, connection: { port: 1, password }, name: "printed" });
    expectNoneOf([KEY, password], await useInbox(inbox));
    await inbox.close();
  });

  it.skipIf(redis === undefined)("on BullMQ where Redis refuses the password", async () => {
    const connection = { host: redis?.host, port: redis?.port, username: "nobody", password };
    const inbox = bullmqInbox({ Queue, Worker, connection, name: "printed" });
    expectNoneOf([KEY, password], await useInbox(inbox));
    await inbox.close();
  });

  it("on pg-boss while PostgreSQL is away", async () => {
    const place = { host: "127.0.0.1", port: 1, user: "nobody", password };
    const pool = new Pool(place);
    const boss = new PgBoss(place);
    expectNoneOf([KEY, password], await useInbox(pgBossInbox(boss, { pool, queue: "printed" })));
    await pool.end();
  });

  it("on a queue of one's own, whose store has a password", async () => {
    const client = new Redis({ lazyConnect: true, password });
    const { told, options } = observed();
    const inbox = queueInbox({ store: redisStore(client), add: () => Promise.reject(new Error("away")) });
    const receiver = createReceiver({ ...options, inbox });
    const reply = await receiver.handle(deliveryOf());
    const error = await outcomeOf(inbox.stats());
    const refused = await outcomeOf(receiver.process({ v: 2, body: KEY }));
    expect([reply.status, error, refused]).toEqual([503, expect.any(Error), expect.any(Error)]);
    client.disconnect();
    expectNoneOf([KEY, password], { inbox, receiver, reply, error, refused, told });
  });
});

describe("the sandbox", () => {
  let sandbox: Awaited<ReturnType<typeof createSandbox>>;
  beforeAll(async () => {
    sandbox = await createSandbox();
  });
  afterAll(() => sandbox.close());

  it("shows an endpoint's secret only where it is asked for it", async () => {
    const { id, secret } = await sandbox.endpoint({ url: "http://127.0.0.1:1/webhooks/bluum", secret: KEY });
    await sandbox.send("order.filled");
    await sandbox.settled();
    expectNoneOf([KEY], { sandbox, endpoints: sandbox.endpoints(), deliveries: sandbox.deliveries() });
    expect([secret, ...sandbox.secrets(id)]).toEqual([KEY, KEY]);
  });
});
