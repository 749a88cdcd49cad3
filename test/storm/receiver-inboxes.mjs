// The inboxes of the receiver processes, each on an engine as users set it up.
import { setTimeout as pause } from "node:timers/promises";
import { brokenInbox } from "./broken-inboxes.mjs";
import { databaseIn, poolFor, transactIn, transactOn } from "./receiver-stores.mjs";

/** Short, but long enough that no outage of the storm uses up all attempts. */
const RETRY = { attempts: 20, backoffMs: 50, maxBackoffMs: 1_000 };

/** @returns the inbox, `close` and, where its store has transactions, `transact` */
export async function openInbox(config) {
  const engine = { "inbox-sqlite": openSqlite, "inbox-bullmq": openBullmq, "inbox-pg-boss": openPgBoss }[config.kind];
  const opened = await engine(config);
  return { ...opened, inbox: config.flaw ? brokenInbox(config.flaw, opened.inbox) : opened.inbox };
}

async function openSqlite({ dist, address, leaseMs: lockMs }) {
  const { sqliteInbox } = await import(`${dist}/src/inbox/sqlite.js`);
  const database = await databaseIn(address);
  const inbox = sqliteInbox(database, { retry: RETRY, lockMs });
  return { inbox, transact: transactIn(database, inbox.store), close: async () => database.close() };
}

async function openBullmq({ dist, address, leaseMs: lockMs }) {
  const { bullmqInbox } = await import(`${dist}/src/inbox/bullmq.js`);
  const { Queue, Worker } = await import("bullmq");
  const { hostname: host, port } = new URL(address);
  const connection = { host, port: Number(port) };
  const inbox = bullmqInbox({ Queue, Worker, connection, name: "storm", retry: RETRY, lockMs });
  return { inbox, close: () => inbox.close() };
}

async function openPgBoss({ dist, address, leaseMs: lockMs }) {
  const { pgBossInbox } = await import(`${dist}/src/inbox/pg-boss.js`);
  const boss = await startBoss(address);
  const [pool, own] = [await poolFor(address), await poolFor(address)];
  const inbox = pgBossInbox(boss, { pool: own, queue: "storm", retry: RETRY, lockMs });
  return {
    inbox,
    transact: transactOn(pool, inbox.store),
    async close() {
      await boss.stop({ graceful: false });
      await Promise.all([pool.end(), own.end()]);
    },
  };
}

/** The database may be down when a process starts. */
async function startBoss(connectionString) {
  const { default: PgBoss } = await import("pg-boss10");
  for (;;) {
    const boss = new PgBoss({ connectionString, max: 3, supervise: false, schedule: false });
    boss.on("error", () => {});
    try {
      return await boss.start();
    } catch {
      await boss.stop({ graceful: false }).catch(() => {});
      await pause(200);
    }
  }
}
