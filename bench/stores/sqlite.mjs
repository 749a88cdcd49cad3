// SQLite in a file: events a second, to a claim and a completion written by hand on the same driver, each a transaction.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "bluum-webhooks/stores/sqlite";
import { claimAndCompleteAll, freshEvents, LEASE_MS, RETENTION_MS } from "./events.mjs";
import { rateOf, ratesOf } from "./rates.mjs";

const GROUP = "SQLite store";
const CONCURRENCIES = [1, 16, 64];
const DRIVERS = ["libsql", "better-sqlite3", "node:sqlite"];

export async function measureSqliteStore(effort) {
  const rows = [];
  for (const driver of DRIVERS) rows.push(...(await oneDriver(driver, effort)));
  return rows;
}

async function oneDriver(driver, effort) {
  const open = await openerOf(driver);
  if (open === undefined) return [{ group: `${GROUP}, ${driver}`, name: "all", skipped: "not installed" }];
  const folder = mkdtempSync(join(tmpdir(), "bluum-sqlite-"));
  try {
    const rows = [];
    for (const concurrency of CONCURRENCIES) {
      rows.push(...(await oneGroup(driver, open, join(folder, String(concurrency)), concurrency, effort)));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function oneGroup(driver, open, path, concurrency, { storeEvents: { one: count, rounds } }) {
  const databases = [open(`${path}-by-hand.db`), open(`${path}-ours.db`)];
  const byHand = handWritten(databases[0]);
  const store = sqliteStore(databases[1]);
  const timed = (run) => () => {
    const events = freshEvents(count);
    return rateOf(count, () => run(events));
  };
  try {
    const candidates = [
      { name: "by hand, two statements", run: timed((events) => events.forEach(byHand)) },
      { name: "ours", run: timed((events) => claimAndCompleteAll(store, events, concurrency)) },
    ];
    return await ratesOf(`${GROUP}, ${driver}, concurrency ${concurrency}`, candidates, rounds);
  } finally {
    for (const database of databases) database.close();
  }
}

function handWritten(database) {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(
    "CREATE TABLE events (key TEXT PRIMARY KEY, token TEXT, completed INTEGER, ends_at INTEGER) WITHOUT ROWID",
  );
  const claim = database.prepare("INSERT INTO events VALUES (?, ?, 0, ?) ON CONFLICT DO NOTHING");
  const complete = database.prepare("UPDATE events SET completed = 1, ends_at = ? WHERE key = ? AND token = ?");
  return ({ key, token }) => {
    claim.run(key, token, Date.now() + LEASE_MS);
    complete.run(Date.now() + RETENTION_MS, key, token);
  };
}

async function openerOf(driver) {
  try {
    const { default: Database, DatabaseSync = Database } = await import(driver);
    return (path) => new DatabaseSync(path);
  } catch {
    return undefined;
  }
}
