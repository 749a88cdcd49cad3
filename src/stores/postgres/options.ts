import { checks } from "./errors.ts";

/** Table, timeout, purge and warnings of a PostgreSQL store. */
export interface PostgresStoreOptions {
  /**
   * The table's name, of at most 63 bytes. It is quoted, so upper case stays upper case.
   * @default "bluum_webhook_events"
   */
  readonly table?: string;
  /**
   * The schema that the table is in; `migrate` does not create it.
   * @default the connection's search_path decides
   */
  readonly schema?: string;
  /**
   * How long a verb may take, in milliseconds, from 1 to 10_000; the wait for a connection of the pool counts.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * How often expired records are deleted in the background, in milliseconds, from 1_000 up; by one process at a time.
   * @default never: call `purge`, for example once a day
   */
  readonly purgeEveryMs?: number;
  /**
   * Whether `pg` prepares each statement once per connection. Set `false` behind a pooler that keeps no prepared statements, such
   * as PgBouncer before 1.21 in transaction mode.
   * @default true
   */
  readonly prepare?: boolean;
  /**
   * Called when the background purge begins to fail, and once if other code holds every client of the store's `pg` pool.
   * `false`: no warnings.
   * @default console.warn
   */
  readonly warn?: ((message: string) => void) | false;
}

/** The options, checked and complete. */
export interface PostgresSettings {
  readonly table: string;
  readonly schema: string | undefined;
  readonly timeoutMs: number;
  readonly purgeEveryMs: number | undefined;
  readonly prepare: boolean;
  readonly warn: (message: string) => void;
}

/** The longest delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks the options and fills in the defaults. `statementsFor` checks the names of table and schema.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: PostgresStoreOptions): PostgresSettings {
  checks.names(options, ["table", "schema", "timeoutMs", "purgeEveryMs", "prepare", "warn"]);
  const { table = "bluum_webhook_events", schema, timeoutMs = 2_000, purgeEveryMs, prepare = true } = options;
  // biome-ignore lint/suspicious/noConsole: silence would hide a table that grows without end; the option replaces it
  const { warn = (message) => console.warn(message) } = options;
  checks.integer("timeoutMs", timeoutMs, 1, 10_000);
  if (purgeEveryMs !== undefined) checks.integer("purgeEveryMs", purgeEveryMs, 1_000, MAX_TIMER_MS);
  checks.boolean("prepare", prepare);
  if (warn !== false && typeof warn !== "function") throw checks.invalid("warn", "must be a function, or false");
  return { table, schema, timeoutMs, purgeEveryMs, prepare, warn: warn === false ? () => {} : warn };
}
