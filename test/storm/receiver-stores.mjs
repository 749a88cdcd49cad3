// The stores of the receiver processes, each with a client and a transaction as users set them up.
import { setTimeout as pause } from "node:timers/promises";
import { broken } from "./broken-stores.mjs";

/** @returns the store and, where it has transactions, `transact`: the effect of an event in one with its completion */
export function openStore(config) {
  return { redis: openRedis, postgres: openPostgres, sqlite: openSqlite }[config.kind](config);
}

/** Half of the processes use one client, half the other. */
async function openRedis({ dist, address, slot, flaw }) {
  const { redisStore } = await import(`${dist}/src/stores/redis.js`);
  const client = flaw || slot % 2 === 0 ? await ioredis(address) : await nodeRedis(address);
  const store = redisStore(client);
  return { store: flaw ? broken(flaw, store, client) : store };
}

async function ioredis(address) {
  const { Redis } = await import("ioredis");
  const client = new Redis(address);
  client.on("error", () => {});
  return client;
}

async function nodeRedis(address) {
  const { createClient } = await import("redis");
  const client = createClient({ url: address });
  client.on("error", () => {});
  client.connect().catch(() => {});
  return client;
}

async function openPostgres({ dist, address }) {
  const { postgresStore } = await import(`${dist}/src/stores/postgres.js`);
  const pool = await poolFor(address);
  const store = postgresStore(pool);
  void migrate(store);
  return { store, transact: transactOn(pool, store) };
}

export async function poolFor(address) {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: address, max: 6, connectionTimeoutMillis: 2_000 });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** The transactions of a pool of PostgreSQL. */
export function transactOn(pool, store) {
  return async function transact({ context, row, strike }) {
    const client = await pool.connect();
    let unusable;
    try {
      await client.query("BEGIN");
      await client.query("INSERT INTO storm_effects VALUES ($1, $2, $3)", row);
      await strike("effect");
      await store.completeIn(context, client);
      const swallowed = (await strike("completed")) === "return";
      await client.query(swallowed ? "ROLLBACK" : "COMMIT");
    } catch (error) {
      await client.query("ROLLBACK").catch((failure) => {
        unusable = failure;
      });
      throw error;
    } finally {
      client.release(unusable);
    }
  };
}

/** The database may be down when a process starts. */
async function migrate(store) {
  for (;;) {
    try {
      return await store.migrate();
    } catch {
      await pause(100);
    }
  }
}

async function openSqlite({ dist, address }) {
  const { sqliteStore } = await import(`${dist}/src/stores/sqlite.js`);
  const database = await databaseIn(address);
  const store = sqliteStore(database);
  return { store, transact: transactIn(database, store) };
}

export async function databaseIn(file) {
  const { default: Database } = await import("libsql");
  const database = new Database(file);
  // A driver that waits for the lock blocks its process, and the renewals of all its claims.
  database.exec("PRAGMA busy_timeout = 0");
  return database;
}

/** The transactions of a database of SQLite. */
export function transactIn(database, store) {
  async function begin() {
    for (const until = Date.now() + 1_000; ; await pause(5)) {
      try {
        return database.exec("BEGIN IMMEDIATE");
      } catch (error) {
        if (Date.now() > until) throw error;
      }
    }
  }

  return async function transact({ context, row, strike }) {
    await begin();
    // No await from here on: the store uses the same connection.
    try {
      database.prepare("INSERT INTO storm_effects VALUES (?, ?, ?)").run(...row);
      strike("effect");
      store.completeIn(context);
      const swallowed = strike("completed") === "return";
      database.exec(swallowed ? "ROLLBACK" : "COMMIT");
    } catch (error) {
      if (database.inTransaction) database.exec("ROLLBACK");
      throw error;
    }
  };
}
