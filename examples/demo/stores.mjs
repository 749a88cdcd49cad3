// The stores that the demo can run on: each opened in a place of its own, and closed without a trace.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "bluum-webhooks";

/** A store that cannot be had, and what to do about it. */
export class UnreachableError extends Error {}

const OPENERS = { memory: openMemory, sqlite: openSqlite, redis: openRedis, postgres: openPostgres };

/** Opens a store by its name; gives `{ name, store, close }`. */
export async function openStore(name) {
  if (Object.hasOwn(OPENERS, name)) return OPENERS[name]();
  throw new UnreachableError(`There is no store "${name}". There are ${Object.keys(OPENERS).join(", ")}.`);
}

function openMemory() {
  return { name: "the memory store", store: memoryStore(), close() {} };
}

async function openSqlite() {
  const [{ default: Database }, { sqliteStore }] = await Promise.all([
    import("libsql"),
    import("bluum-webhooks/stores/sqlite"),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "bluum-demo-"));
  const database = new Database(join(folder, "webhooks.db"));
  return {
    name: "SQLite, in a file of its own",
    store: sqliteStore(database),
    close() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function openRedis() {
  const [{ Redis }, { redisStore }] = await Promise.all([import("ioredis"), import("bluum-webhooks/stores/redis")]);
  const url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, retryStrategy: () => null });
  let trouble;
  redis.on("error", (error) => {
    trouble ??= error;
  });
  await redis.connect().catch((error) => {
    redis.disconnect();
    throw unreachable("Redis", url, trouble ?? error, "REDIS_URL");
  });
  const prefix = `bluum-demo-${ownName()}:`;
  return {
    name: `Redis at ${hostOf(url)}`,
    store: redisStore(redis, { prefix }),
    async close() {
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
        if (keys.length > 0) await redis.del(...keys);
      }
      redis.disconnect();
    },
  };
}

async function openPostgres() {
  const [{ default: pg }, { postgresStore }] = await Promise.all([
    import("pg"),
    import("bluum-webhooks/stores/postgres"),
  ]);
  const url = process.env.DATABASE_URL ?? "postgres://postgres:postgres@127.0.0.1:5432/postgres";
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 5_000 });
  pool.on("error", () => {}); // whoever asks next is told
  const schema = `bluum_demo_${ownName()}`;
  await pool.query(`CREATE SCHEMA ${schema}`).catch(async (error) => {
    await pool.end();
    throw unreachable("PostgreSQL", url, error, "DATABASE_URL");
  });
  const store = postgresStore(pool, { schema });
  const close = async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await pool.end();
  };
  await store.migrate().catch(async (error) => {
    await close();
    throw error;
  });
  return { name: `PostgreSQL at ${hostOf(url)}`, store, close };
}

function unreachable(what, url, error, variable) {
  // An ECONNREFUSED on several addresses has a code only.
  const why = error.message || error.code;
  return new UnreachableError(
    `${what} at ${hostOf(url)} cannot be used: ${why}. Start one there, or name another in ${variable}.`,
  );
}

/** Where a server is, without the password. */
function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : "the address that was given";
}

function ownName() {
  return randomBytes(6).toString("hex");
}
