import { checksFor, type OptionChecks } from "../../options.ts";
import type { SqliteDatabase } from "./database.ts";

/** Table, timeout, journal mode and clock of a SQLite store. */
export interface SqliteStoreOptions {
  /**
   * The table, created on first use: up to 63 letters, digits and underscores, not beginning with a digit or `sqlite_`.
   * @default "bluum_webhook_events"
   */
  readonly table?: string;
  /**
   * How long a verb waits for a database that another connection has locked, in milliseconds, from 0 to 10_000. It waits without
   * blocking the event loop, whatever the connection's own `busy_timeout`.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * Whether to switch the database file to write-ahead logging (`PRAGMA journal_mode = WAL`), which stays with the file. Without it,
   * readers and writers lock one another out.
   * @default true
   */
  readonly wal?: boolean;
  /**
   * The clock, in milliseconds since 1970. All processes on one file must share it.
   * @default Date.now
   */
  readonly now?: () => number;
}

/** The checks whose errors name `sqliteStore`. */
export const checks: OptionChecks = checksFor("sqliteStore");

/**
 * Checks the options and fills in the defaults.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: SqliteStoreOptions): Required<SqliteStoreOptions> {
  checks.names(options, ["table", "timeoutMs", "wal", "now"]);
  const { table = "bluum_webhook_events", timeoutMs = 2_000, wal = true, now = Date.now } = options;
  requireTableName(checks, "table", table, 63);
  checks.integer("timeoutMs", timeoutMs, 0, 10_000);
  checks.boolean("wal", wal);
  checks.callable("now", now);
  return { table, timeoutMs, wal, now };
}

/**
 * Refuses what is no name of a table, or one with more than `most` characters.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function requireTableName({ invalid }: OptionChecks, option: string, name: unknown, most: number): void {
  if (typeof name === "string" && name.length <= most && /^(?!sqlite_)[a-z_][a-z0-9_]*$/i.test(name)) return;
  throw invalid(option, `must be 1 to ${most} letters, digits or underscores, not beginning with a digit or sqlite_`);
}

/**
 * Refuses a database whose driver is asynchronous: it returns promises for rows, and every claim would fail.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function requireSynchronous({ invalid }: OptionChecks, database: SqliteDatabase): void {
  const hasMethods = typeof database?.exec === "function" && typeof database.prepare === "function";
  if (hasMethods && returnsRows(database)) return;
  throw invalid("database", "must be synchronous: a database of libsql, better-sqlite3, node:sqlite or bun:sqlite");
}

function returnsRows(database: SqliteDatabase): boolean {
  try {
    const statement = database.prepare("SELECT 1 AS one");
    return typeof statement.all === "function" && Array.isArray(statement.all());
  } catch {
    // The database may be locked or broken now. The verbs report that, and recover.
    return true;
  }
}
