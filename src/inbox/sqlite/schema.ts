import { type SqliteDatabase, transact } from "../../stores/sqlite/database.ts";
import { checks } from "./options.ts";

/**
 * The state of an event.
 * - `waiting`: may be taken
 * - `blocked`: behind an unfinished event of its ordering key. Of each key at most one event is neither blocked, parked nor done.
 * - `crashed`: its worker died. It may be taken, one at a time, since it may have been the cause.
 * - `delayed`: failed; waits for its next attempt
 * - `active`: being worked on
 * - `parked`, `done`
 */
export type State = "waiting" | "blocked" | "crashed" | "delayed" | "active" | "parked" | "done";

/** What brings the tables from each version to the next one. Later versions are added at the end; none is ever changed. */
const MIGRATIONS: readonly ((table: string) => string)[] = [version1];

/**
 * Creates the tables, or brings them up to date. Safe where many processes start at once.
 *
 * @throws WebhookError `configuration_invalid` where a newer version of this package has written the tables
 */
export function migrate(database: SqliteDatabase, table: string): void {
  transact(database, () => {
    database.exec(
      `CREATE TABLE IF NOT EXISTS "${table}_meta" (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
    );
    const version = versionOf(database, table);
    if (version === MIGRATIONS.length) return;
    if (version > MIGRATIONS.length) throw tooNew(table, version);
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration(table));
    database.prepare(`INSERT OR REPLACE INTO "${table}_meta" VALUES ('version', ?)`).run(MIGRATIONS.length);
  });
}

function versionOf(database: SqliteDatabase, table: string): number {
  const rows = database.prepare(`SELECT value FROM "${table}_meta" WHERE name = 'version'`).all();
  return Number((rows as { value: number | bigint }[])[0]?.value ?? 0);
}

function tooNew(table: string, version: number): Error {
  const known = MIGRATIONS.length;
  return checks.invalid(
    "table",
    `${table} has version ${version}, and this process knows versions up to ${known}: upgrade bluum-webhooks here`,
  );
}

/**
 * `seq` is the order of acceptance. `due_at` is when the next attempt is due (delayed), the lock expires (active), it was parked, or it
 * is deleted (done). The table `_meta` counts the events of each state, so that nobody has to scan for it.
 */
function version1(table: string): string {
  return `
    CREATE TABLE "${table}" (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT COLLATE BINARY NOT NULL UNIQUE,
      id TEXT NOT NULL,
      type TEXT COLLATE BINARY NOT NULL,
      ordering_key TEXT COLLATE BINARY,
      state TEXT COLLATE BINARY NOT NULL,
      attempts INTEGER NOT NULL,
      accepted_at INTEGER NOT NULL,
      due_at INTEGER,
      lock_token TEXT,
      error TEXT,
      message TEXT
    );
    CREATE INDEX "${table}_state" ON "${table}" (state, seq);
    CREATE INDEX "${table}_due" ON "${table}" (state, due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX "${table}_order" ON "${table}" (ordering_key, state, seq) WHERE ordering_key IS NOT NULL;
    CREATE INDEX "${table}_parked" ON "${table}" (type, seq) WHERE state = 'parked';
    INSERT INTO "${table}_meta" VALUES
      ('waiting', 0), ('blocked', 0), ('crashed', 0), ('delayed', 0), ('active', 0), ('parked', 0), ('done', 0);
    CREATE TRIGGER "${table}_added" AFTER INSERT ON "${table}" BEGIN
      UPDATE "${table}_meta" SET value = value + 1 WHERE name = new.state;
    END;
    CREATE TRIGGER "${table}_moved" AFTER UPDATE OF state ON "${table}" WHEN old.state <> new.state BEGIN
      UPDATE "${table}_meta" SET value = value - 1 WHERE name = old.state;
      UPDATE "${table}_meta" SET value = value + 1 WHERE name = new.state;
    END;
    CREATE TRIGGER "${table}_removed" AFTER DELETE ON "${table}" BEGIN
      UPDATE "${table}_meta" SET value = value - 1 WHERE name = old.state;
    END;
  `;
}
