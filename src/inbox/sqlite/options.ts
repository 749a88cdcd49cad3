import { checksFor, type OptionChecks } from "../../options.ts";
import { requireTableName } from "../../stores/sqlite/options.ts";
import { type RetryOptions, retrySettings } from "../retry.ts";

/** How a SQLite inbox names its tables, waits, retries, and how much it keeps. */
export interface SqliteInboxOptions {
  /**
   * The table of events, created on first use: up to 48 letters, digits and underscores, not beginning with a digit or `sqlite_`. Its
   * helpers begin with this name.
   * @default "bluum_webhook_inbox"
   */
  readonly table?: string;
  /**
   * The table of the dedupe store, as `table` of `sqliteStore`.
   * @default "bluum_webhook_events"
   */
  readonly storeTable?: string;
  /**
   * How long to wait for a database that another connection has locked, in milliseconds, from 0 to 10_000. It waits without blocking
   * the event loop, whatever the connection's own `busy_timeout`.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /** How often an event is run, and how long it waits in between. */
  readonly retry?: RetryOptions;
  /**
   * How many events may wait, those that wait for a retry included; more are refused with `inbox_full`. From 1.
   * @default 1_000_000
   */
  readonly maxWaiting?: number;
  /**
   * How long the key and the times of a processed event are kept, in milliseconds. Its message is deleted at once.
   * @default 7 days
   */
  readonly keepDoneMs?: number;
  /**
   * How long an event stays with a worker that gives no sign of life, in milliseconds, from 1_000 to 600_000. Then it is taken again.
   * The same for every worker of the file.
   * @default 30_000
   */
  readonly lockMs?: number;
  /**
   * The clock, in milliseconds since 1970. All processes on one file must share it.
   * @default Date.now
   */
  readonly now?: () => number;
}

/** The options with their defaults. */
export type SqliteInboxSettings = Required<Omit<SqliteInboxOptions, "retry" | "storeTable">> & {
  readonly retry: Required<RetryOptions>;
  readonly storeTable: string;
};

const OWNER = "sqliteInbox";
/** The checks for everything that `sqliteInbox` takes. */
export const checks: OptionChecks = checksFor(OWNER);

const NAMES = ["table", "storeTable", "timeoutMs", "retry", "maxWaiting", "keepDoneMs", "lockMs", "now"];
const DAY_MS = 24 * 3_600_000;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: SqliteInboxOptions): SqliteInboxSettings {
  checks.names(options, NAMES);
  const { table = "bluum_webhook_inbox", storeTable = "bluum_webhook_events", timeoutMs = 2_000, retry } = options;
  const { maxWaiting = 1_000_000, keepDoneMs = 7 * DAY_MS, lockMs = 30_000, now = Date.now } = options;
  requireTableName(checks, "table", table, 48);
  requireTableName(checks, "storeTable", storeTable, 63);
  if (storeTable.toLowerCase().startsWith(table.toLowerCase())) {
    throw checks.invalid("storeTable", "must not begin with the name of the inbox's table");
  }
  checks.integer("timeoutMs", timeoutMs, 0, 10_000);
  checks.integer("maxWaiting", maxWaiting, 1);
  checks.integer("keepDoneMs", keepDoneMs, 0, 10 * 365 * DAY_MS);
  checks.integer("lockMs", lockMs, 1_000, 600_000);
  checks.callable("now", now);
  return { table, storeTable, timeoutMs, retry: retrySettings(OWNER, retry), maxWaiting, keepDoneMs, lockMs, now };
}
