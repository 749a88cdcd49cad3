// Accepting on PostgreSQL: `add` of the inbox, to a transaction with nothing but pg-boss's `send`.
import { randomBytes } from "node:crypto";
import { pgBossInbox } from "bluum-webhooks/inbox/pg-boss";
import pg from "pg";
import PgBoss from "pg-boss10";
import { rateOf, ratesOf } from "../stores/rates.mjs";
import { findPostgres } from "../stores/servers.mjs";
import { addAll, freshMessages, inFlight } from "./messages.mjs";

const GROUP = "inbox, accept on PostgreSQL, pg-boss 10, 2 KB";
const CONCURRENCIES = [1, 16];

export async function measureAcceptingOnPostgres(effort) {
  const url = await findPostgres();
  if (url === undefined) return [{ group: GROUP, name: "all", skipped: "no PostgreSQL: set DATABASE_URL" }];
  const schema = `bluum_bench_${randomBytes(6).toString("hex")}`;
  const pool = new pg.Pool({ connectionString: url, max: Math.max(...CONCURRENCIES) });
  const boss = new PgBoss({ connectionString: url, schema, max: 2, supervise: false, schedule: false });
  for (const emitter of [pool, boss]) emitter.on("error", () => {});
  try {
    await boss.start();
    return await measureOn({ pool, boss, schema }, effort);
  } finally {
    await boss.stop({ graceful: false, wait: true }).catch(() => {});
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await pool.end();
  }
}

async function measureOn({ pool, boss, schema }, { inbox: { queued, rounds } }) {
  await boss.createQueue("by_hand");
  const inbox = pgBossInbox(boss, { pool, queue: "ours", schema, store: { schema } });
  const rows = [];
  for (const concurrency of CONCURRENCIES) {
    const count = Math.max(4, concurrency === 1 ? queued / 4 : queued);
    const timed = (run) => () => {
      const messages = freshMessages(count);
      return rateOf(count, () => run(messages));
    };
    const send = timed((messages) => inFlight(messages, concurrency, (message) => sendOne(pool, boss, message)));
    const candidates = [
      { name: "boss.send alone in one transaction", run: send },
      { name: "boss.send again (A/A)", run: send },
      {
        name: "ours: add",
        run: timed((messages) => addAll(inbox, messages, concurrency)),
        ...(concurrency === 16 ? { goal: { figure: "ratio", atLeast: 0.7 } } : {}),
      },
    ];
    rows.push(...(await ratesOf(`${GROUP}, concurrency ${concurrency}`, candidates, rounds)));
  }
  return rows;
}

async function sendOne(pool, boss, message) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await boss.send("by_hand", message, { db: { executeSql: (text, values) => client.query(text, values) } });
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}
