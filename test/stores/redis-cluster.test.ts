import { randomUUID } from "node:crypto";
import { createSentinel } from "redis";
import { createSentinel as createSentinel5 } from "redis5";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type RedisClient, redisStore } from "../../src/stores/redis.ts";
import { canStartRedis, type PrivateRedis, startRedis, startSentinel } from "../services/redis.ts";
import { CLUSTER_CLIENTS, type Connected, ioredis } from "../services/redis-clients.ts";

const SLOTS = 16_384;
const PATIENCE = { timeout: 15_000, interval: 50 };

const installed = await canStartRedis();
const started: PrivateRedis[] = [];
const connected: Connected[] = [];

afterEach(async () => {
  for (const one of connected.splice(0)) await one.close();
});
afterAll(async () => {
  for (const one of started) await one.stop();
});

async function tracked(starting: Promise<PrivateRedis>): Promise<PrivateRedis> {
  const redis = await starting;
  started.push(redis);
  return redis;
}

/** Two nodes, each with half of the slots: a command that is sent to the wrong one comes back as MOVED. */
async function startCluster(): Promise<Connected<ReturnType<typeof ioredis>["client"]>[]> {
  const nodes = await Promise.all([0, 1].map(() => tracked(startRedis("--cluster-enabled", "yes"))));
  const admins = nodes.map(({ url }) => ioredis(url, { enableReadyCheck: false }));
  for (const [place, { client }] of admins.entries()) {
    const from = (place * SLOTS) / 2;
    const half = Array.from({ length: SLOTS / 2 }, (_, slot) => String(from + slot));
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(place + 1));
    await client.call("CLUSTER", "ADDSLOTS", ...half);
  }
  await admins[0]?.client.call("CLUSTER", "MEET", "127.0.0.1", String(nodes[1]?.port));
  for (const { client } of admins) {
    await vi.waitFor(async () => {
      const info = String(await client.call("CLUSTER", "INFO"));
      expect(info).toContain("cluster_state:ok");
      expect(info).toContain("cluster_slots_ok:16384");
    }, PATIENCE);
  }
  return admins;
}

/** Takes events through their lives, enough of them that every node has some. */
async function exercise(client: RedisClient): Promise<void> {
  const store = redisStore(client, { prefix: `test ${randomUUID()}:`, timeoutMs: 10_000 });
  const lives = Array.from({ length: 40 }, async (_, number) => {
    const [key, mine, another] = [`orders/order.filled/evt_${number}`, randomUUID(), randomUUID()];
    const terms = { leaseMs: 30_000, retentionMs: 3_600_000 };
    expect(await store.claim(key, { token: mine, ...terms })).toEqual({ status: "claimed" });
    expect(await store.claim(key, { token: another, ...terms })).toMatchObject({ status: "in_flight" });
    expect(await store.renew(key, { token: mine, ...terms })).toBe(true);
    expect(await store.release(key, { token: mine })).toBe(true);
    expect(await store.complete(key, { token: another, ...terms })).toBe("stored");
    expect(await store.claim(key, { token: mine, ...terms })).toEqual({ status: "completed" });
    expect(await store.complete(key, { token: mine, ...terms })).toBe("completed_by_another");
    expect(await store.forget?.(key)).toBe(true);
  });
  await Promise.all(lives);
}

describe.skipIf(!installed)("the Redis store on a cluster", () => {
  let nodes: Awaited<ReturnType<typeof startCluster>>;
  beforeAll(async () => {
    nodes = await startCluster();
  }, 60_000);
  afterAll(() => {
    for (const { close } of nodes) close();
  });

  /** How often a node was asked something that another has to answer. */
  async function moved(): Promise<number> {
    const stats = await Promise.all(nodes.map(({ client }) => client.info("errorstats")));
    return stats.reduce((sum, text) => sum + Number(/errorstat_MOVED:count=(\d+)/.exec(text)?.[1] ?? 0), 0);
  }

  async function scriptsRun(): Promise<number[]> {
    const stats = await Promise.all(nodes.map(({ client }) => client.info("commandstats")));
    return stats.map((text) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0));
  }

  it.each(Object.entries(CLUSTER_CLIENTS))(
    "sends each event to the node that has it, through %s",
    async (_, connect) => {
      const ports = nodes.map(({ client }) => Number(client.options.port));
      const one = await connect(ports);
      connected.push(one);
      for (const { client } of nodes) {
        await client.script("FLUSH");
        await client.config("RESETSTAT");
      }
      await exercise(one.client);
      expect(await moved()).toBe(0);
      for (const calls of await scriptsRun()) expect(calls).toBeGreaterThan(20);
    },
  );
});

describe.skipIf(!installed)("the Redis store behind a sentinel", () => {
  let sentinel: PrivateRedis;
  beforeAll(async () => {
    const primary = await tracked(startRedis());
    sentinel = await tracked(startSentinel(primary));
  }, 60_000);

  it("works through ioredis", async () => {
    const one = ioredis("", { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "primary" });
    connected.push(one);
    await exercise(one.client);
  });

  it.each(
    Object.entries({
      "node-redis 6": createSentinel,
      "node-redis 5": createSentinel5 as unknown as typeof createSentinel,
    }),
  )("works through %s", async (_, create) => {
    const client = create({ name: "primary", sentinelRootNodes: [{ host: "127.0.0.1", port: sentinel.port }] });
    client.on("error", () => {});
    await client.connect();
    connected.push({ client, close: () => client.destroy() });
    await exercise(client);
  });
});
