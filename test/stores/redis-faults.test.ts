import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createReceiver } from "../../src/pipeline/receiver.ts";
import { timedStore } from "../../src/pipeline/store-timeouts.ts";
import { type CommandClient, type RedisStoreOptions, redisStore } from "../../src/stores/redis.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { signDelivery } from "../../src/testing/sign.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { gate } from "../pipeline/receiving.ts";
import { type FlakyProxy, flakyProxy } from "../services/flaky-proxy.ts";
import { canStartRedis, type PrivateRedis, startRedis } from "../services/redis.ts";
import { CLIENTS, type Connected, ioredis, redis6 } from "../services/redis-clients.ts";

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 3_600_000;
const IMPATIENT: RedisStoreOptions = { timeoutMs: 150, warn: false };
const UNAVAILABLE = { name: "WebhookError", code: "store_unavailable" };
const PATIENCE = { timeout: 10_000, interval: 20 };

// They break their servers, so those are their own.
const installed = await canStartRedis();

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on("unhandledRejection", note));
afterAll(() => void process.off("unhandledRejection", note));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await new Promise(setImmediate);
  expect(unhandled).toEqual([]);
});

/** Something that is closed or stopped when the test has ended. */
function used<Thing extends { close(): unknown } | { stop(): unknown }>(thing: Thing): Thing {
  cleanups.push(() => ("close" in thing ? thing.close() : thing.stop()));
  return thing;
}

function storeAt(url: string, connect = ioredis, options: RedisStoreOptions = IMPATIENT): DedupeStore {
  return redisStore(used(connect(url) as Connected).client, options);
}

const claimBy = (token: string) => ({ token, leaseMs: LEASE_MS });
const completeBy = (token: string) => ({ token, retentionMs: RETENTION_MS });

async function complete(store: DedupeStore, key: string, token = randomUUID()): Promise<void> {
  expect(await store.claim(key, claimBy(token))).toEqual({ status: "claimed" });
  expect(await store.complete(key, completeBy(token))).toBe("stored");
}

/** Uses the store until it is connected and Redis has its scripts, so that later calls keep within a short timeout. */
async function warmUp(store: DedupeStore): Promise<void> {
  await vi.waitFor(() => complete(store, randomUUID()), PATIENCE);
}

async function status(store: DedupeStore, key: string, token = "a stranger's"): Promise<string> {
  return (await store.claim(key, claimBy(token))).status;
}

const SECRET = "a secret of enough bytes";

/** A receiver on a store, and deliveries for it. */
function receiverOn(store: DedupeStore) {
  const receiver = createReceiver({ secret: SECRET, store, namespace: "orders", logger: false });
  const deliveryOf = (event: string, id: string) => {
    const { headers, body } = signDelivery({ secret: SECRET, event: { id, event, data: {} } });
    return { method: "POST", headers, body: Buffer.from(body) };
  };
  return { receiver, deliveryOf };
}

const keyOf = (type: string, id: string) => `bluum:orders/${type}/${id}`;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of the heap that something still refers to. */
function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** The two families of clients: what they do with commands in flight and offline differs. */
const FAMILIES = { "ioredis 6": ioredis, "node-redis 6": redis6 as typeof ioredis };

let redis: PrivateRedis;
let admin: ReturnType<typeof ioredis>["client"];
let proxy: FlakyProxy;
let viaProxy: string;

describe.skipIf(!installed)("a Redis that is away, slow or broken", () => {
  beforeEach(async () => {
    redis = used(await startRedis());
    admin = used(ioredis(redis.url)).client;
    proxy = used(await flakyProxy(redis.port));
    viaProxy = `redis://127.0.0.1:${proxy.port}`;
  });

  describe.each(Object.entries(FAMILIES))("through %s", (_name, connect) => {
    it("a server that hangs is sent a bounded number of claims when one delivery is replayed", inFull, async () => {
      const { client } = used(connect(viaProxy));
      let commands = 0;
      const sendCommand = (args: string[]) => {
        commands += 1;
        const [name = "", ...rest] = args;
        return "call" in client ? client.call(name, ...rest) : (client as CommandClient).sendCommand(args);
      };
      const { receiver, deliveryOf } = receiverOn(redisStore({ sendCommand }, { ...IMPATIENT, timeoutMs: 1_000 }));
      const [running, working] = [gate(), gate()];
      const work = () => {
        running.open();
        return working.passed;
      };
      receiver.on("order.canceled", work).on("order.filled", () => {});
      const accepted = receiver.handle(deliveryOf("order.canceled", "evt_accepted"));
      await running.passed;

      proxy.stall();
      const captured = deliveryOf("order.filled", "evt_captured");
      const replays = (times: number) => Promise.all(Array.from({ length: times }, () => receiver.handle(captured)));
      await replays(3_000);
      const [heapBefore, commandsBefore] = [heapBytes(), commands];
      expect(commandsBefore).toBeLessThan(2_100);
      for (let wave = 0; wave < (exhaustive ? 10 : 2); wave += 1) {
        for (const { status, headers, body } of await replays(1_000)) {
          expect(body).toBe('{"error":{"code":"store_unavailable"}}');
          expect([status, headers["retry-after"]]).toEqual([503, "5"]);
        }
      }
      // A renewal of the accepted event may be among them.
      expect(commands - commandsBefore).toBeLessThan(10);
      expect(heapBytes() - heapBefore).toBeLessThan(5_000_000);

      // Work that was accepted before is never refused: its completion is sent, and counts once Redis is back.
      working.open();
      expect((await accepted).status).toBe(200);
      expect(commands).toBeGreaterThan(commandsBefore);
      proxy.pass();
      const known = () => admin.get(keyOf("order.canceled", "evt_accepted"));
      await vi.waitFor(async () => expect(await known()).toMatch(/^done:/), PATIENCE);
      await vi.waitFor(async () => expect((await receiver.handle(captured)).status).toBe(200), PATIENCE);
    });

    it("a server that is down at the start fails each verb in time, and recovers without a restart", async () => {
      await proxy.refuse();
      const store = storeAt(viaProxy, connect);
      const startedAt = performance.now();
      const by = { ...claimBy("t"), ...completeBy("t") };
      const verbs = ["claim", "renew", "complete", "release", "forget"] as const;
      const results = await Promise.allSettled(verbs.map((verb) => store[verb]?.("event", by)));
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      await proxy.open();
      await warmUp(store);
    });

    it("a late claim from the client's offline queue is released", async () => {
      await proxy.refuse();
      const store = storeAt(viaProxy, connect);
      await expect(timedStore(store).claim("event", claimBy("late"))).rejects.toMatchObject(UNAVAILABLE);
      await proxy.open();
      await proxy.hasSent("late");
      await vi.waitFor(async () => expect(await admin.exists("bluum:event")).toBe(0), PATIENCE);
      await vi.waitFor(async () => expect(await status(store, "event")).toBe("claimed"), PATIENCE);
    });

    it("a claim answered too late is released once, long before its lease expires", async () => {
      const store = storeAt(viaProxy, connect);
      await warmUp(store);
      // The scripts are known from here on: each verb is one command.
      await store.release(randomUUID(), { token: "nobody's" });
      proxy.holdReplies();
      const claim = timedStore(store).claim("event", claimBy("late"));
      await vi.waitFor(async () => expect(await admin.get("bluum:event")).toBe("held:late"), PATIENCE);
      await expect(claim).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: "Redis could not claim the event: no answer within 150 ms",
      });
      await vi.waitFor(async () => expect(await admin.exists("bluum:event")).toBe(0), PATIENCE);
      proxy.pass();
      await vi.waitFor(async () => expect(await status(store, "event")).toBe("claimed"), PATIENCE);
      expect(proxy.sent().split("late")).toHaveLength(3);
    });

    it("every verb repeated by its token after a lost reply returns the lost answer", async () => {
      const store = storeAt(viaProxy, connect);
      const event = randomUUID();
      await warmUp(store);
      const lost = async (verb: () => Promise<unknown>, written: string) => {
        proxy.loseReplies();
        // A client may resend by itself what was in flight, or reject.
        const answer = verb().catch((error: unknown) => error);
        await vi.waitFor(async () => expect(await admin.get(`bluum:${event}`)).toBe(written), PATIENCE);
        proxy.cut();
        proxy.pass();
        await answer;
      };
      await lost(() => store.claim(event, claimBy("mine")), "held:mine");
      await vi.waitFor(async () => expect(await status(store, event)).toBe("in_flight"), PATIENCE);
      expect(await status(store, event, "mine")).toBe("claimed");
      await lost(() => store.complete(event, completeBy("mine")), "done:mine");
      await vi.waitFor(async () => expect(await status(store, event)).toBe("completed"), PATIENCE);
      expect(await store.complete(event, completeBy("mine"))).toBe("stored");
    });

    it("connections cut in the middle of work lose no claim and recover", async () => {
      const store = storeAt(viaProxy, connect, { ...IMPATIENT, timeoutMs: 1_000 });
      await warmUp(store);
      const events = Array.from({ length: 200 }, () => randomUUID());
      const claims = events.map((event) => store.claim(event, claimBy(`by ${event}`)).catch(() => undefined));
      await proxy.hasSent(`by ${events[100]}`);
      proxy.cut();
      const told = await Promise.all(claims);
      for (const [place, answer] of told.entries()) {
        if (answer) expect(await admin.get(`bluum:${events[place]}`)).toBe(`held:by ${events[place]}`);
      }
      await warmUp(store);
    });

    it("a frozen server fails the claim in time, and serves again once it continues", async () => {
      const store = storeAt(redis.url, connect);
      await warmUp(store);
      await complete(store, "done");
      redis.freeze();
      cleanups.push(() => redis.thaw());
      const startedAt = performance.now();
      await expect(timedStore(store).claim("event", claimBy("late"))).rejects.toMatchObject(UNAVAILABLE);
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThan(140);
      expect(tookMs).toBeLessThan(2_000);
      redis.thaw();
      await vi.waitFor(async () => expect(await status(store, "done")).toBe("completed"), PATIENCE);
      await vi.waitFor(async () => expect(await status(store, "event")).toBe("claimed"), PATIENCE);
    });

    it("a server that was killed and restarted serves again, without a restart of the service", async () => {
      const store = storeAt(redis.url, connect);
      await warmUp(store);
      await complete(store, "done");
      await redis.kill();
      await expect(store.claim("event", claimBy("t"))).rejects.toMatchObject(UNAVAILABLE);
      await redis.restart();
      await warmUp(store);
    });
  });

  describe.each(Object.entries(CLIENTS))("through %s", (_name, connect) => {
    it("the scripts are sent again after Redis lost them", async () => {
      const store = redisStore(used(await connect(redis.url)).client, { warn: false });
      await warmUp(store);
      await complete(store, "done");
      await admin.script("FLUSH");
      expect(await status(store, "done")).toBe("completed");
      await admin.script("FLUSH");
      await complete(store, "another");
    });

    it("a closed client rejects, and does not hang", async () => {
      const connected = await connect(redis.url);
      const store = redisStore(connected.client, IMPATIENT);
      await warmUp(store);
      await complete(store, "done");
      await connected.close();
      await expect(store.claim("event", claimBy("t"))).rejects.toMatchObject(UNAVAILABLE);
    });

    it("a wrong password fails the claim, and the error holds neither the password nor the command", async () => {
      await admin.config("SET", "requirepass", "the right password");
      const url = redis.url.replace("redis://", "redis://:wrong-secret@");
      const store = redisStore(used(await connect(url)).client, IMPATIENT);
      const error = await store.claim("event", claimBy("t")).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(UNAVAILABLE);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wrong-secret");
    });
  });

  it("an event is answered 503 while Redis is down, and can be claimed once it is back", async () => {
    await proxy.refuse();
    const { receiver, deliveryOf } = receiverOn(storeAt(viaProxy));
    const delivery = deliveryOf("order.filled", "evt_1");
    receiver.on("order.filled", () => {});
    expect((await receiver.handle(delivery)).status).toBe(503);
    await proxy.open();
    await proxy.hasSent("evt_1");
    await vi.waitFor(async () => expect(await admin.keys("bluum:*")).toEqual([]), PATIENCE);
    await vi.waitFor(async () => expect((await receiver.handle(delivery)).status).toBe(200), PATIENCE);
    expect(await admin.get("bluum:orders/order.filled/evt_1")).toMatch(/^done:/);
  });

  it("a full Redis refuses new events, still answers duplicates, and recovers when there is room", async () => {
    const store = storeAt(redis.url);
    await warmUp(store);
    await complete(store, "done");
    await status(store, "running", "mine");
    await admin.config("SET", "maxmemory", "1");
    await expect(store.claim("new", claimBy("t"))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("OOM command not allowed"),
      cause: expect.objectContaining({ message: expect.stringContaining("OOM command not allowed") }),
    });
    expect(await status(store, "done")).toBe("completed");
    expect(await status(store, "running")).toBe("in_flight");
    expect(await store.renew("running", claimBy("mine"))).toBe(true);
    await expect(store.complete("running", completeBy("mine"))).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.renew("running", claimBy("mine"))).toBe(true);
    await admin.config("SET", "maxmemory", "0");
    expect(await store.complete("running", completeBy("mine"))).toBe("stored");
    expect(await status(store, "new")).toBe("claimed");
  });

  it("a Redis with noeviction that fills up forgets no record", async () => {
    const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
    await admin.config("SET", "maxmemory", String(used + 300_000), "maxmemory-policy", "noeviction");
    const store = storeAt(redis.url);
    const taken: string[] = [];
    const fill = async () => {
      for (;;) {
        const event = randomUUID();
        await complete(store, event);
        taken.push(`bluum:${event}`);
      }
    };
    await expect(fill()).rejects.toMatchObject(UNAVAILABLE);
    expect(taken.length).toBeGreaterThan(10);
    expect(await admin.exists(taken)).toBe(taken.length);
  });

  it("a missing password rejects with the message of Redis", async () => {
    await admin.config("SET", "requirepass", "the right password");
    const client = used(ioredis(redis.url, { enableReadyCheck: false, maxRetriesPerRequest: 1, protocol: 2 })).client;
    await expect(redisStore(client, IMPATIENT).claim("event", claimBy("t"))).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("NOAUTH"),
    });
  });

  it("a Redis that is still loading, or a client that throws, is a store failure", async () => {
    const by = { ...claimBy("t"), ...completeBy("t") };
    const loading = () => Promise.reject(new Error("LOADING Redis is loading the dataset in memory"));
    const throwing = () => {
      throw Object.assign(new Error(""), { code: "ECONNREFUSED" });
    };
    for (const [sendCommand, words] of [
      [loading, "LOADING"],
      [throwing, "ECONNREFUSED"],
    ] as const) {
      const store = redisStore({ sendCommand });
      for (const verb of ["claim", "renew", "complete", "release", "forget"] as const) {
        const message = expect.stringContaining(`Redis could not ${verb} the event: ${words}`);
        await expect(store[verb]?.("event", by)).rejects.toMatchObject({ ...UNAVAILABLE, message });
      }
    }
  });

  it("a Redis with an append-only file remembers across a restart, and loses only its scripts", async () => {
    const durable = used(await startRedis("--appendonly", "yes", "--appendfsync", "always"));
    const store = storeAt(durable.url);
    await warmUp(store);
    await complete(store, "done");
    await status(store, "running", "mine");
    await durable.restart();
    await vi.waitFor(async () => expect(await status(store, "done")).toBe("completed"), PATIENCE);
    expect(await status(store, "running")).toBe("in_flight");
    expect(await store.complete("running", completeBy("mine"))).toBe("stored");
  });

  it("a Redis without persistence has forgotten everything after a restart", async () => {
    const store = storeAt(redis.url);
    await warmUp(store);
    await complete(store, "done");
    await redis.restart();
    await vi.waitFor(async () => expect(await status(store, "done")).toBe("claimed"), PATIENCE);
  });
});

describe.skipIf(!installed)("a replica", () => {
  let replica: PrivateRedis;
  beforeEach(async () => {
    redis = used(await startRedis());
    admin = used(ioredis(redis.url)).client;
    proxy = used(await flakyProxy(redis.port));
    replica = used(await startRedis("--replicaof", "127.0.0.1", String(proxy.port)));
  });

  it("refuses every verb that writes, with the message of Redis", async () => {
    const store = storeAt(replica.url);
    await vi.waitFor(async () => {
      await expect(store.claim("event", claimBy("t"))).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining("READONLY"),
      });
    }, PATIENCE);
    await expect(store.complete("event", completeBy("t"))).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.forget?.("event")).rejects.toMatchObject(UNAVAILABLE);
  });

  it("knows after its promotion only what was replicated", async () => {
    const before = storeAt(redis.url, ioredis, { warn: false });
    await complete(before, "replicated");
    const heir = used(ioredis(replica.url)).client;
    await vi.waitFor(async () => expect(await heir.exists("bluum:replicated")).toBe(1), PATIENCE);
    await proxy.refuse();
    await complete(before, "lost");
    await status(before, "running", "mine");
    await redis.kill();
    await heir.replicaof("NO", "ONE");

    const after = storeAt(replica.url, ioredis, { warn: false });
    expect(await status(after, "replicated")).toBe("completed");
    // A duplicate of this one runs again: docs/guides/stores.md.
    expect(await status(after, "lost")).toBe("claimed");
    // Whoever was at work is told so at the next renewal; and if nobody took the event over, the work still counts.
    expect(await after.renew("running", claimBy("mine"))).toBe(false);
    expect(await after.complete("running", completeBy("mine"))).toBe("stored");
  });
});
