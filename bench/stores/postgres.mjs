// PostgreSQL: events a second, to what pgbench reaches with the very statements that the store sends, prepared in both.
import { randomBytes } from "node:crypto";
import { postgresStore } from "bluum-webhooks/stores/postgres";
import pg from "pg";
import { claimAndComplete, claimAndCompleteAll, freshEvents } from "./events.mjs";
import { pgbench } from "./pgbench.mjs";
import { rateOf, ratesOf } from "./rates.mjs";
import { findPostgres, isInstalled } from "./servers.mjs";

const GROUP = "PostgreSQL store";
const CONCURRENCIES = [1, 16, 64];

export async function measurePostgresStore(effort) {
  const url = await findPostgres();
  if (url === undefined) return [{ group: GROUP, name: "all", skipped: "no PostgreSQL: set DATABASE_URL" }];
  const schema = `bluum_bench_${randomBytes(6).toString("hex")}`;
  const keeper = new pg.Pool({ connectionString: url, max: 1 });
  await keeper.query(`CREATE SCHEMA ${schema}`);
  try {
    const { statements, roundTrips } = await statementsOf(keeper, schema);
    const rows = [
      {
        group: GROUP,
        name: "round trips an event",
        figures: { count: roundTrips },
        goal: { figure: "count", atMost: 2 },
      },
    ];
    for (const concurrency of CONCURRENCIES)
      rows.push(...(await oneGroup(url, schema, statements, concurrency, effort)));
    return rows;
  } finally {
    await keeper.query(`DROP SCHEMA ${schema} CASCADE`);
    await keeper.end();
  }
}

function oneGroup(url, schema, statements, concurrency, { storeEvents }) {
  const count = concurrency === 1 ? storeEvents.one : storeEvents.many;
  const turnOf = (storeOn) => () => oneTurn(url, storeOn, count, concurrency);
  const driver = { name: "pg alone, the same statements", run: turnOf((pool) => alone(pool, statements)) };
  const ours = {
    name: "ours, pg",
    run: turnOf((pool) => postgresStore(pool, { schema, timeoutMs: 10_000 })),
    ...(concurrency === 16 ? { goal: { figure: "ratio", atLeast: 0.9 } } : {}),
  };
  const group = `${GROUP}, concurrency ${concurrency}`;
  if (!isInstalled("pgbench")) return ratesOf(group, [driver, ours], storeEvents.rounds, "pgbench is not installed");
  const rival = { name: "pgbench, the same statements", run: () => pgbench(url, statements, { count, concurrency }) };
  return ratesOf(group, [rival, driver, ours], storeEvents.rounds);
}

/** The statements carry the store's own short patience with locks: on a busy machine a claim may have to be asked again. */
const LOCK_NOT_AVAILABLE = "55P03";

/** What the driver can do at best: it sends the same statements by name, and that is all. */
function alone(pool, [claim, complete]) {
  const ask = async (name, { text, values }, key, token) => {
    try {
      const { rows } = await pool.query({ name, text, values: [key, token, ...values.slice(2)] });
      return rows[0].answer;
    } catch (error) {
      if (error.code !== LOCK_NOT_AVAILABLE) throw error;
      return ask(name, { text, values }, key, token);
    }
  };
  return {
    claim: async (key, { token }) => ({ status: await ask("claim", claim, key, token) }),
    complete: (key, { token }) => ask("complete", complete, key, token),
  };
}

/** With connections of its own, since a server has few: made before the clock runs, as pgbench does not count them either. */
async function oneTurn(url, storeOn, count, concurrency) {
  const pool = new pg.Pool({ connectionString: url, max: concurrency });
  try {
    const store = storeOn(pool);
    await claimAndCompleteAll(store, freshEvents(concurrency * 4), concurrency);
    const events = freshEvents(count);
    return await rateOf(count, () => claimAndCompleteAll(store, events, concurrency));
  } finally {
    await pool.end();
  }
}

/** What the store sends for one fresh event. */
async function statementsOf(pool, schema) {
  const statements = [];
  const recording = {
    query: (text, values) => {
      statements.push({ text, values });
      return pool.query(text, values);
    },
  };
  const store = postgresStore(recording, { schema });
  await store.migrate();
  const [first, second] = freshEvents(2);
  await claimAndComplete(store, first);
  statements.length = 0;
  await claimAndComplete(store, second);
  return { roundTrips: statements.length, statements };
}
