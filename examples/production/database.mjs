// The connections to PostgreSQL, and pg-boss, which keeps the queue.
import pg from "pg";
import PgBoss from "pg-boss"; // from pg-boss 11 on: { PgBoss }; version 12 needs Node 22
import { log } from "./log.mjs";

const connectionString = process.env.DATABASE_URL;

/** For the handlers: a client for the transaction of each that is at work. */
export const pool = connect(Number(process.env.CONCURRENCY ?? 10));

/** For the inbox alone, so that renewals never wait for a handler. */
export const inboxPool = connect(4);

export const boss = new PgBoss({ connectionString, max: 4 });
boss.on("error", (error) => log.error(error, "pg-boss"));

export async function closeDatabase() {
  await boss.stop({ graceful: false }); // the receiver is closed before, so no event is at work
  await Promise.all([pool.end(), inboxPool.end()]);
}

function connect(max) {
  const made = new pg.Pool({ connectionString, max, connectionTimeoutMillis: 5_000 });
  // Without a listener, an idle connection that breaks ends the process.
  made.on("error", (error) => log.error(error, "a connection to the database broke"));
  return made;
}
