import { invalid } from "./errors.ts";

/** Where a PostgreSQL store keeps its table, how long it waits, and how it cleans up. */
export interface PostgresStoreOptions {
  /**
   * The table's name, of at most 63 bytes, taken as it is: upper case stays upper case.
   * @default "bluum_webhook_events"
   */
  readonly table?: string;
  /**
   * The schema that the table is in; `migrate` does not make it.
   * @default the connection's search_path decides
   */
  readonly schema?: string;
  /**
   * How long a verb may take, in milliseconds, from 1 to 10_000; the wait for a connection of the pool counts.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * How often ended records are deleted in the background, in milliseconds, from 1_000 up; by one process at a time.
   * @default never: call `purge`, say once a day
   */
  readonly purgeEveryMs?: number;
  /**
   * Whether `pg` prepares each statement once a connection. Say `false` behind a pooler that keeps no prepared statements, as
   * PgBouncer before 1.21 in transaction mode.
   * @default true
   */
  readonly prepare?: boolean;
  /**
   * Told when the background purge begins to fail, and once where other code holds every client of the store's `pg` pool.
   * `false`: nobody is.
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
  readonly warn: ((message: string) => void) | false;
}

const NAMES = ["table", "schema", "timeoutMs", "purgeEveryMs", "prepare", "warn"];
/** The longest that a timer can be set for. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks the options and fills them up. The names of table and schema are checked where they are quoted.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: PostgresStoreOptions): PostgresSettings {
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalid(unknown, `is no option; there are ${NAMES.join(", ")}`);
  const { table = "bluum_webhook_events", schema, timeoutMs = 2_000, purgeEveryMs, prepare = true } = options;
  // biome-ignore lint/suspicious/noConsole: silence would hide a table that grows for ever; the option replaces it
  const { warn = (message) => console.warn(message) } = options;
  requireWhole("timeoutMs", timeoutMs, 1, 10_000);
  if (purgeEveryMs !== undefined) requireWhole("purgeEveryMs", purgeEveryMs, 1_000, LONGEST_TIMER_MS);
  if (typeof prepare !== "boolean") throw invalid("prepare", "must be true or false");
  if (warn !== false && typeof warn !== "function") throw invalid("warn", "must be a function, or false");
  return { table, schema, timeoutMs, purgeEveryMs, prepare, warn };
}

/** Refuses what is no whole number within bounds, naming it. */
export function requireWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(option, `must be a whole number from ${least} to ${most}`);
}
