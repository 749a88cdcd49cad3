// The servers that are measured: those that the environment names, else those on their usual ports; for Redis one of our own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import pg from "pg";

const POSTGRES = ["test", "postgres"].map((database) => `postgres://postgres:test@127.0.0.1:5432/${database}`);

/**
 * The Redis of REDIS_URL, else one that is started for the run and writes nothing to disk, else that on port 6379.
 *
 * @returns `{ url, stop }`, or undefined if there is none
 */
export async function findRedis() {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop() {} };
  if (isInstalled("redis-server")) return startRedis();
  const url = "redis://127.0.0.1:6379";
  return (await answersRedis(url)) ? { url, stop() {} } : undefined;
}

/** The PostgreSQL of DATABASE_URL, else that on port 5432; the URL, or undefined if there is none. */
export async function findPostgres() {
  const candidates = process.env.DATABASE_URL ? [process.env.DATABASE_URL] : POSTGRES;
  for (const url of candidates) if (await answersPostgres(url)) return url;
  return undefined;
}

/** Whether a program is on the PATH. */
export function isInstalled(program) {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** A Redis of the benchmark's own, on a free port; it writes nothing to disk. */
export async function startRedis() {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", ""], {
    stdio: "ignore",
  });
  const stop = () => server.kill("SIGKILL");
  process.once("exit", stop);
  while (server.exitCode === null && !(await answersRedis(url)))
    await new Promise((resolve) => setTimeout(resolve, 20));
  return { url, stop };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function answersRedis(url) {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function answersPostgres(url) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
