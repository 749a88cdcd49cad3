import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisClient, redisStore } from "../../src/stores/redis.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";
import { inFull, runs } from "../exhaustive.ts";
import { flakyProxy } from "../services/flaky-proxy.ts";
import { canStartRedis, findRedis, type PrivateRedis, startRedis } from "../services/redis.ts";
import { CLIENTS, type Connected, ioredis, VARIANTS } from "../services/redis-clients.ts";
import { describeStoreContract } from "./contract.ts";
import { modelTest } from "./model.ts";

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 3_600_000;

const service = await findRedis();
const opened: (Connected | PrivateRedis)[] = [];

/** Every key of this run begins with it, or has it behind a prefix of the client's own. */
const RUN = `bluum test ${randomUUID()}`;

function freshPrefix(): string {
  return `${RUN} ${randomUUID()}:`;
}

afterAll(async () => {
  if (service) await clear(service.url);
  for (const one of opened) await ("close" in one ? one.close() : one.stop());
  await service?.stop();
});

/** The server may be everybody's: what these tests wrote goes. */
async function clear(url: string): Promise<void> {
  const { client, close } = ioredis(url);
  for await (const keys of client.scanStream({ match: `*${RUN}*`, count: 10_000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  close();
}

async function open(connecting: Connected | Promise<Connected>): Promise<RedisClient> {
  const connected = await connecting;
  opened.push(connected);
  return connected.client;
}

/** Two stores of one Redis, each with a connection of its own; the same connections for every case. */
function pairOf(connect: (url: string) => Connected | Promise<Connected>): () => Promise<StoreUnderTest> {
  const url = service?.url ?? "";
  // A crowd of claims on a busy machine must not fail for want of time.
  const options = { prefix: freshPrefix(), timeoutMs: 10_000, warn: false } as const;
  let clients: Promise<[RedisClient, RedisClient]> | undefined;
  return async () => {
    clients ??= Promise.all([open(connect(url)), open(connect(url))]);
    const [one, other] = await clients;
    return { store: redisStore(one, options), peer: redisStore(other, options) };
  };
}

async function process(store: DedupeStore, key: string, token = randomUUID()): Promise<string> {
  expect(await store.claim(key, { token, leaseMs: LEASE_MS })).toEqual({ status: "claimed" });
  expect(await store.complete(key, { token, retentionMs: RETENTION_MS })).toBe("stored");
  return token;
}

describe.skipIf(!service)("the Redis store on a real server", () => {
  for (const [name, connect] of Object.entries(CLIENTS))
    describeStoreContract(name, pairOf(connect), { crowd: connect === ioredis });
});

describe.skipIf(!service)("the Redis store against the model", () => {
  for (const name of ["ioredis 6", "node-redis 6"]) {
    const connect = CLIENTS[name] as (url: string) => Connected;
    it(`answers as the state machine does, through ${name}`, { ...inFull, timeout: 120_000 }, () =>
      modelTest(pairOf(connect), runs(30, 1_000)),
    );
  }
});

describe.skipIf(!service)("clients that send or show things their own way", () => {
  for (const [name, connect] of Object.entries(VARIANTS)) {
    it(`make no difference: ${name}`, async () => {
      const { store, peer } = (await pairOf(connect)()) as Required<StoreUnderTest>;
      const [mine, another] = [randomUUID(), randomUUID()];
      const key = `orders/order.filled/${randomUUID()}`;
      expect(await store.claim(key, { token: mine, leaseMs: LEASE_MS })).toEqual({ status: "claimed" });
      expect(await peer.claim(key, { token: another, leaseMs: LEASE_MS })).toMatchObject({
        status: "in_flight",
        remainingMs: expect.any(Number),
      });
      expect(await store.renew(key, { token: mine, leaseMs: LEASE_MS })).toBe(true);
      expect(await peer.complete(key, { token: another, retentionMs: RETENTION_MS })).toBe("held_by_another");
      expect(await peer.release(key, { token: another })).toBe(false);
      expect(await store.complete(key, { token: mine, retentionMs: RETENTION_MS })).toBe("stored");
      expect(await peer.complete(key, { token: another, retentionMs: RETENTION_MS })).toBe("completed_by_another");
      expect(await peer.claim(key, { token: another, leaseMs: LEASE_MS })).toEqual({ status: "completed" });
      expect(await store.forget?.(key)).toBe(true);
      expect(await peer.forget?.(key)).toBe(false);
    });
  }

  it("find one another's records with every client", async () => {
    const prefix = freshPrefix();
    const stores = await Promise.all(
      Object.values(CLIENTS).map(async (connect) => redisStore(await open(connect(service?.url ?? "")), { prefix })),
    );
    for (const [place, store] of stores.entries()) {
      await process(store, `event ${place}`);
      for (const other of stores) {
        expect(await other.claim(`event ${place}`, { token: "other", leaseMs: 1 })).toEqual({ status: "completed" });
      }
    }
  });
});

describe.skipIf(!service)("what goes over the wire", () => {
  for (const [name, connect] of Object.entries(CLIENTS)) {
    it(`is one command a verb, with ${name}`, async () => {
      const proxy = await flakyProxy(service?.port ?? 0);
      const connected = await connect(`redis://127.0.0.1:${proxy.port}`);
      const store = redisStore(connected.client, { prefix: freshPrefix(), warn: false });
      const token = randomUUID();
      const by = { token, leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
      const verbs = ["claim", "renew", "release", "claim", "complete", "forget"] as const;
      // The first time round Redis is told the scripts.
      for (const verb of verbs) await store[verb]?.("event", by);
      const before = proxy.sent().length;
      for (const verb of verbs) await store[verb]?.("event", by);
      const commands = [
        ...proxy
          .sent()
          .slice(before)
          .matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g),
      ].map(([, command]) => command);
      expect(commands).toEqual(["EVALSHA", "EVALSHA", "EVALSHA", "EVALSHA", "EVALSHA", "DEL"]);
      await connected.close();
      await proxy.close();
    });
  }
});

describe.skipIf(!service)("what stands in Redis", () => {
  const url = service?.url ?? "";

  it("is one key per event under the prefix, with the token and an expiry", async () => {
    const { client, close } = ioredis(url);
    const prefix = freshPrefix();
    const store = redisStore(client, { prefix });
    await store.claim("orders/order.filled/1", { token: "t", leaseMs: LEASE_MS });
    expect(await client.get(`${prefix}orders/order.filled/1`)).toBe("held:t");
    expect(await client.pttl(`${prefix}orders/order.filled/1`)).toBeGreaterThan(LEASE_MS - 10_000);
    await store.complete("orders/order.filled/1", { token: "t", retentionMs: RETENTION_MS });
    expect(await client.get(`${prefix}orders/order.filled/1`)).toBe("done:t");
    expect(await client.pttl(`${prefix}orders/order.filled/1`)).toBeGreaterThan(RETENTION_MS - 10_000);
    expect(await client.keys(`${prefix}*`)).toHaveLength(1);
    close();
  });

  it("begins with bluum: by default, after the client's own key prefix", async () => {
    const own = freshPrefix();
    const { client, close } = ioredis(url, { keyPrefix: own });
    const store = redisStore(client);
    await store.claim("event", { token: "t", leaseMs: LEASE_MS });
    // GET gets the client's prefix too, EVAL with its key in the text does not.
    expect(await client.eval(`return redis.call('GET', '${own}bluum:event')`, 0)).toBe("held:t");
    expect(await store.forget?.("event")).toBe(true);
    close();
  });

  it("may have fractions of a millisecond, which are rounded up", async () => {
    const { client, close } = ioredis(url);
    const store = redisStore(client, { prefix: freshPrefix() });
    expect(await store.claim("event", { token: "t", leaseMs: 29_999.5 })).toEqual({ status: "claimed" });
    expect(await store.renew("event", { token: "t", leaseMs: 0.25 })).toBe(true);
    close();
  });

  it("is refused if the key holds another type", async () => {
    const { client, close } = ioredis(url);
    const prefix = freshPrefix();
    await client.lpush(`${prefix}event`, "a list");
    const claim = redisStore(client, { prefix }).claim("event", { token: "t", leaseMs: LEASE_MS });
    await expect(claim).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("WRONGTYPE"),
    });
    await client.del(`${prefix}event`);
    close();
  });
});

describe.skipIf(!(await canStartRedis()))("the one warning", () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startRedis();
    opened.push(redis);
  });

  /** The warnings of a store that has processed three events; PING goes behind whatever was sent in the background. */
  async function warnings(policy: string, url = redis.url): Promise<string[]> {
    const { client, close } = ioredis(url);
    const admin = ioredis(redis.url);
    await admin.client.config("SET", "maxmemory-policy", policy);
    const told: string[] = [];
    const store = redisStore(client, { warn: (message) => told.push(message) });
    for (let number = 0; number < 3; number += 1) await process(store, randomUUID());
    await client.ping();
    await new Promise(setImmediate);
    close();
    admin.close();
    return told;
  }

  it("warns once that the maxmemory-policy lets Redis forget", async () => {
    const told = await warnings("allkeys-lru");
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("maxmemory-policy allkeys-lru");
    expect(told[0]).toContain("noeviction");
  });

  it("does not warn if the policy is noeviction", async () => {
    expect(await warnings("noeviction")).toEqual([]);
  });

  it("does not warn, and nothing fails, if INFO is forbidden", async () => {
    const { client, close } = ioredis(redis.url);
    const commands = ["evalsha", "eval", "get", "set", "pttl", "pexpire", "del", "ping"].map(
      (command) => `+${command}`,
    );
    await client.call("ACL", "SETUSER", "app", "on", ">a password", "~bluum:*", ...commands);
    close();
    const url = redis.url.replace("redis://", "redis://app:a%20password@");
    expect(await warnings("allkeys-lru", url)).toEqual([]);
  });

  it("does not check the policy with warn: false", async () => {
    const asked: string[][] = [];
    const { client, close } = ioredis(redis.url);
    const sendCommand = (args: string[]) => {
      asked.push(args);
      return client.call(args[0] as string, ...args.slice(1));
    };
    await process(redisStore({ sendCommand }, { warn: false }), randomUUID());
    expect(asked.filter((args) => args.some((text) => text.includes("INFO")))).toEqual([]);
    close();
  });
});

describe("what redisStore takes", () => {
  const client = { sendCommand: async () => 0 };
  const refused = { name: "WebhookError", code: "configuration_invalid" };

  it.each([undefined, null, {}, "redis://127.0.0.1", { call: true }, { sendCommand: "yes" }])(
    "refuses %j for a client",
    (wrong) => {
      expect(() => redisStore(wrong as never)).toThrow(expect.objectContaining(refused));
    },
  );

  it.each([
    ["prefix", 1],
    ["timeoutMs", 0],
    ["timeoutMs", 1.5],
    ["timeoutMs", 10_001],
    ["timeoutMs", "2000"],
    ["warn", true],
    ["ttl", 60],
  ])("refuses %s: %j, naming the option", (option, value) => {
    const message = expect.stringContaining(`redisStore: ${option} `);
    expect(() => redisStore(client, { [option]: value })).toThrow(expect.objectContaining({ ...refused, message }));
  });

  it("can be created without a Redis", () => {
    const sendCommand = () => Promise.reject(new Error("not connected"));
    expect(redisStore({ sendCommand }, { prefix: "", timeoutMs: 1, warn: false })).toHaveProperty("claim");
  });

  it("never ends the client", () => {
    expect(redisStore(client)).not.toHaveProperty("close");
  });
});

describe("replies that are no integers", () => {
  it.each([null, undefined, "", "QUEUED", [], 1.5, Number.NaN, {}, true, "OK"])(
    "reject, lest %j pass for a claim",
    async (reply) => {
      const store = redisStore({ sendCommand: async () => reply }, { warn: false });
      const by = { token: "t", leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
      for (const verb of ["claim", "renew", "complete", "release", "forget"] as const) {
        await expect(store[verb]?.("event", by)).rejects.toMatchObject({ code: "store_unavailable" });
      }
    },
  );
});
