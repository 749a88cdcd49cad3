// Redis: events a second through each client, to what redis-benchmark reaches with the very commands that the store sends.

import { redisStore } from "bluum-webhooks/stores/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { claimAndComplete, claimAndCompleteAll, freshEvents } from "./events.mjs";
import { rateOf, ratesOf } from "./rates.mjs";
import { redisBenchmark } from "./redis-benchmark.mjs";
import { findRedis, isInstalled } from "./servers.mjs";

const GROUP = "Redis store";
const CONCURRENCIES = [1, 16, 64];

export async function measureRedisStore(effort) {
  const server = await findRedis();
  if (server === undefined) return [{ group: GROUP, name: "all", skipped: "no Redis, and no redis-server installed" }];
  const clients = await clientsFor(server.url);
  try {
    const { commands, roundTrips } = await commandsOf(clients[0].client);
    const rows = [
      {
        group: GROUP,
        name: "round trips an event",
        figures: { count: roundTrips },
        goal: { figure: "count", atMost: 2 },
      },
    ];
    for (const concurrency of CONCURRENCIES)
      rows.push(...(await oneGroup(server, clients, commands, concurrency, effort)));
    return rows;
  } finally {
    for (const { close } of clients) close();
    server.stop();
  }
}

function oneGroup({ url }, clients, commands, concurrency, { storeEvents }) {
  const count = concurrency === 1 ? storeEvents.one : storeEvents.many;
  const goal = concurrency === 64 ? { figure: "ratio", atLeast: 0.7 } : undefined;
  const through = (store) => () => {
    const events = freshEvents(count);
    return rateOf(count, () => claimAndCompleteAll(store, events, concurrency));
  };
  const ours = clients.flatMap(({ name, client, send }) => [
    { name: `${name} alone, the same commands`, run: through(alone(send, commands)) },
    { name: `ours, ${name}`, run: through(redisStore(client, { warn: false, timeoutMs: 10_000 })), goal },
  ]);
  const group = `${GROUP}, concurrency ${concurrency}`;
  if (!isInstalled("redis-benchmark"))
    return ratesOf(group, ours, storeEvents.rounds, "redis-benchmark is not installed");
  const rival = {
    name: "redis-benchmark, the same commands",
    run: () => redisBenchmark(url, commands, { count, concurrency }),
  };
  return ratesOf(group, [rival, ...ours], storeEvents.rounds);
}

async function clientsFor(url) {
  const plain = new Redis(url);
  const pipelining = new Redis(url, { enableAutoPipelining: true });
  const node = createClient({ url });
  await node.connect();
  return [
    { name: "ioredis", client: plain, send: (args) => plain.call(...args), close: () => plain.disconnect() },
    {
      name: "ioredis with autopipelining",
      client: pipelining,
      send: (args) => pipelining.call(...args),
      close: () => pipelining.disconnect(),
    },
    { name: "node-redis", client: node, send: (args) => node.sendCommand(args), close: () => node.destroy() },
  ];
}

/** What a client can do at best: it sends the same commands, and that is all. */
function alone(send, [claim, complete]) {
  const ask = ([name, sha, keys, , , term], key, token) => send([name, sha, keys, `bluum:${key}`, token, term]);
  return {
    claim: async (key, { token }) => ({ status: (await ask(claim, key, token)) === 0 ? "claimed" : "not claimed" }),
    complete: async (key, { token }) => ((await ask(complete, key, token)) === 1 ? "stored" : "not stored"),
  };
}

/** What the store sends for one fresh event, once the server knows the scripts. */
async function commandsOf(client) {
  let commands = [];
  const store = redisStore(
    {
      sendCommand: (args) => {
        commands.push(args);
        return client.call(...args);
      },
    },
    { warn: false },
  );
  const events = freshEvents(10);
  await claimAndComplete(store, events.pop());
  commands = [];
  for (const event of events) await claimAndComplete(store, event);
  const [last] = events.slice(-1);
  const roundTrips = commands.length / events.length;
  return {
    roundTrips,
    commands: commands.slice(-roundTrips).map((args) => args.map((arg) => withoutKey(arg, last.key))),
  };
}

/** redis-benchmark puts a number where the name of the event stood. */
function withoutKey(arg, key) {
  return arg.includes(key) ? arg.replace(/evt_\w+/, "evt___rand_int__") : arg;
}
