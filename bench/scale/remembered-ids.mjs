// An event's claim and completion while a store remembers more and more others.

import { redisStore } from "bluum-webhooks/stores/redis";
import { Redis } from "ioredis";
import { Child } from "../measure/child.mjs";
import { claimAndCompleteAll, freshEvents, RETENTION_MS } from "../stores/events.mjs";
import { isInstalled, startRedis } from "../stores/servers.mjs";
import { overSizes, turnOf } from "./sizes.mjs";

/** Each size has a process of its own: a heap of gigabytes would slow the others down by its garbage collection. */
export async function measureMemoryIds({ scaleIds, scaleEvents, rounds }) {
  const children = [];
  try {
    for (const ids of scaleIds) {
      const execArgv = ["--max-old-space-size=16384"];
      const child = new Child(new URL("memory-process.mjs", import.meta.url), { args: [String(ids)], execArgv });
      children.push({ at: ids, child });
      await child.answer();
    }
    const members = children.map(({ at, child }) => ({ at, run: () => child.ask(scaleEvents) }));
    const plot = { name: "remembered-ids-memory", x: "remembered ids" };
    return await overSizes("claim + complete in memory, by remembered ids", plot, members, rounds);
  } finally {
    for (const { child } of children) await child.end();
  }
}

/** Each size has a database of its own in a server that is started for it. */
export async function measureRedisIds({ scaleRedisIds, storeEvents, rounds }) {
  const group = "claim + complete in Redis, 16 at a time, by remembered ids";
  if (!isInstalled("redis-server")) return [{ group, name: "all", skipped: "redis-server is not installed" }];
  const server = await startRedis();
  const clients = scaleRedisIds.map((_, index) => new Redis(server.url, { db: index }));
  try {
    for (const [index, client] of clients.entries()) await fill(client, scaleRedisIds[index]);
    const members = clients.map((client, index) => ({
      at: scaleRedisIds[index],
      run: redisTurn(client, storeEvents.many),
    }));
    return await overSizes(group, { name: "remembered-ids-redis", x: "remembered ids" }, members, rounds);
  } finally {
    for (const client of clients) client.disconnect();
    server.stop();
  }
}

function redisTurn(client, count) {
  const store = redisStore(client, { warn: false });
  return () => {
    const events = freshEvents(count);
    return turnOf(count, () => claimAndCompleteAll(store, events, 16));
  };
}

const FILL = `
for i = 1, ARGV[1] do redis.call('SET', 'bluum:default/order.filled/old_' .. i, 'done:' .. string.rep('0', 36), 'PX', ARGV[2]) end
`;

function fill(client, ids) {
  return client.eval(FILL, 0, ids, RETENTION_MS);
}
