import type { SqliteDatabase } from "../../stores/sqlite/database.ts";
import { checks } from "./options.ts";

/**
 * Switches the file to write-ahead logging, and refuses a connection on which a committed event could be lost.
 *
 * @throws WebhookError `configuration_invalid` for a database in memory, and where `synchronous` is below FULL
 */
export function requireDurable(database: SqliteDatabase): void {
  const [main] = database.prepare("PRAGMA database_list").all() as { file: string | null }[];
  if (!main?.file)
    throw checks.invalid("database", "is in memory, which loses all events with the process: use a file");
  const [switched] = database.prepare("PRAGMA journal_mode = WAL").all() as { journal_mode: string }[];
  if (switched?.journal_mode !== "wal") {
    throw checks.invalid("database", "cannot be switched to write-ahead logging (PRAGMA journal_mode = WAL)");
  }
  // Some builds of SQLite, such as better-sqlite3's, lower `synchronous` once they read a file in this mode.
  database.prepare("SELECT count(*) AS count FROM sqlite_master").all();
  const [row] = database.prepare("PRAGMA synchronous").all() as { synchronous: number | bigint }[];
  if (Number(row?.synchronous) >= FULL) return;
  throw checks.invalid(
    "database",
    "may lose events that were acknowledged when the power fails: run PRAGMA synchronous = FULL on the connection first",
  );
}

const FULL = 2;
