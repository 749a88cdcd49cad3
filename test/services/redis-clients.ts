import { Redis as Ioredis, Cluster as IoredisCluster } from "ioredis";
import { Redis as Ioredis5, Cluster as Ioredis5Cluster } from "ioredis5";
import { createClient, createClientPool, createCluster } from "redis";
import { createClient as createClient4, createCluster as createCluster4 } from "redis4";
import { createClient as createClient5, createCluster as createCluster5 } from "redis5";
import type { RedisClient } from "../../src/stores/redis.ts";

/** A connected client, and how it is ended. */
export interface Connected<Client extends RedisClient = RedisClient> {
  readonly client: Client;
  close(): void | Promise<void>;
}

type Connect = (url: string) => Connected | Promise<Connected>;

const silent = () => {};

export function ioredis(url: string, options: object = {}): Connected<Ioredis> {
  const client = new Ioredis(url, options);
  client.on("error", silent);
  return { client, close: () => client.disconnect() };
}

function ioredis5(url: string, options: object = {}): Connected<Ioredis5> {
  const client = new Ioredis5(url, options);
  client.on("error", silent);
  return { client, close: () => client.disconnect() };
}

/** A client of node-redis that is still connecting. */
export function redis6(url: string, options: object = {}): Connected {
  const client = createClient({ url, ...options });
  client.on("error", silent);
  client.connect().catch(silent);
  return { client, close: () => client.destroy() };
}

function redis5(url: string, options: object = {}): Connected {
  const client = createClient5({ url, ...options });
  client.on("error", silent);
  client.connect().catch(silent);
  return { client, close: () => client.destroy() };
}

function redis4(url: string): Connected {
  const client = createClient4({ url });
  client.on("error", silent);
  client.connect().catch(silent);
  return { client, close: () => client.disconnect() };
}

async function redis6Pool(url: string): Promise<Connected> {
  const pool = createClientPool({ url }, { minimum: 4 });
  pool.on("error", silent);
  await pool.connect();
  return { client: pool, close: () => pool.destroy() };
}

function bare(url: string): Connected {
  const { client, close } = ioredis(url);
  return { client: { sendCommand: ([name = "", ...args]: string[]) => client.call(name, ...args) }, close };
}

/** Every kind of client for one server. */
export const CLIENTS: Readonly<Record<string, Connect>> = {
  "ioredis 6": ioredis,
  "ioredis 5": ioredis5,
  "node-redis 6": redis6,
  "node-redis 5": redis5,
  "node-redis 4": redis4,
  "a bare sendCommand": bare,
};

/** The same with settings that change how they send or show replies. */
export const VARIANTS: Readonly<Record<string, Connect>> = {
  "ioredis 6 with autopipelining, a key prefix and numbers as strings": (url) =>
    ioredis(url, { enableAutoPipelining: true, keyPrefix: "of the client:", stringNumbers: true }),
  "ioredis 5 with autopipelining and a key prefix": (url) =>
    ioredis5(url, { enableAutoPipelining: true, keyPrefix: "of the client:" }),
  "ioredis 6 on RESP2": (url) => ioredis(url, { protocol: 2 }),
  "node-redis 6 on RESP2": (url) => redis6(url, { RESP: 2 }),
  "node-redis 5 on RESP3": (url) => redis5(url, { RESP: 3 }),
  "node-redis 5 with numbers as strings": (url) => redis5(url, { commandOptions: { typeMapping: { 58: String } } }),
  "a pool of node-redis 6": redis6Pool,
};

/** Every kind of client for a cluster; `ports` are those of its nodes. */
export const CLUSTER_CLIENTS: Readonly<Record<string, (ports: readonly number[]) => Connected | Promise<Connected>>> = {
  "ioredis 6": (ports) => ended(new IoredisCluster(nodes(ports))),
  "ioredis 6 with autopipelining": (ports) => ended(new IoredisCluster(nodes(ports), { enableAutoPipelining: true })),
  "ioredis 5": (ports) => ended(new Ioredis5Cluster(nodes(ports))),
  "ioredis 5 with autopipelining": (ports) => ended(new Ioredis5Cluster(nodes(ports), { enableAutoPipelining: true })),
  "node-redis 6": async (ports) => {
    const client = createCluster({ rootNodes: urls(ports) });
    client.on("error", silent);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  "node-redis 5": async (ports) => {
    const client = createCluster5({ rootNodes: urls(ports) });
    client.on("error", silent);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  "node-redis 4": async (ports) => {
    const client = createCluster4({ rootNodes: urls(ports) });
    client.on("error", silent);
    await client.connect();
    return { client, close: () => client.disconnect() };
  },
};

function ended<Client extends IoredisCluster | Ioredis5Cluster>(client: Client): Connected<Client> {
  client.on("error", silent);
  return { client, close: () => client.disconnect() };
}

function nodes(ports: readonly number[]) {
  return ports.map((port) => ({ host: "127.0.0.1", port }));
}

function urls(ports: readonly number[]) {
  return ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
}
