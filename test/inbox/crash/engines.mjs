// Opens an inbox by the name of its engine. `book` writes a row in the transaction that completes the event.
import { createRequire } from "node:module";

const RETRY = { attempts: 20, backoffMs: 10, maxBackoffMs: 100 };

/** @param point called with the name of each point between two steps of `add`, of engines that have more than one */
export async function open(engine, place, point = () => {}) {
  if (engine === "sqlite") return openSqlite(place);
  return engine === "bullmq" ? openBullmq(place, point) : openPgBoss(place);
}

async function openSqlite({ file }) {
  const { sqliteInbox } = await import("bluum-webhooks/inbox/sqlite");
  const Database = createRequire(import.meta.url)("libsql");
  const database = new Database(file);
  database.exec("PRAGMA busy_timeout = 5000");
  database.exec("CREATE TABLE IF NOT EXISTS booked (event TEXT NOT NULL)");
  const inbox = sqliteInbox(database, { retry: RETRY, lockMs: 1_000, timeoutMs: 5_000 });
  const insert = database.prepare("INSERT INTO booked (event) VALUES (?)");
  return {
    inbox,
    book: (context, event) => inbox.store.transaction(context, () => insert.run(event)),
    booked: async () =>
      database
        .prepare("SELECT event FROM booked")
        .all()
        .map(({ event }) => event),
    close: async () => database.close(),
  };
}

async function openBullmq({ url, name }, point) {
  const { bullmqInbox } = await import("bluum-webhooks/inbox/bullmq");
  const { Queue, Worker } = await import("bullmq");
  const { hostname, port } = new URL(url);
  class DyingQueue extends Queue {
    async add(...given) {
      const job = await super.add(...given);
      point("after add, before the dedupe record");
      return job;
    }
  }
  const connection = { host: hostname, port: Number(port) };
  const inbox = bullmqInbox({ Queue: DyingQueue, Worker, connection, name, retry: RETRY, lockMs: 1_000, warn: false });
  return { inbox, close: () => inbox.close() };
}

async function openPgBoss({ url, schema, table }) {
  const { pgBossInbox } = await import("bluum-webhooks/inbox/pg-boss");
  const { default: pg } = await import("pg");
  const { default: PgBoss } = await import("pg-boss10");
  const boss = new PgBoss({ connectionString: url, schema, max: 3, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  const pool = new pg.Pool({ connectionString: url, max: 6 });
  pool.on("error", () => {});
  await pool.query(`CREATE TABLE IF NOT EXISTS "${schema}".booked (event text NOT NULL)`).catch(() => {});
  const inbox = pgBossInbox(boss, { pool, queue: "crash", schema, retry: RETRY, lockMs: 1_000, store: { table } });
  return {
    inbox,
    book: (context, event) =>
      inbox.store.transaction(context, pool, (client) =>
        client.query(`INSERT INTO "${schema}".booked (event) VALUES ($1)`, [event]),
      ),
    booked: async () => (await pool.query(`SELECT event FROM "${schema}".booked`)).rows.map(({ event }) => event),
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
}
