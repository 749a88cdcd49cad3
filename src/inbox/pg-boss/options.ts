import { checksFor, type OptionChecks } from "../../options.ts";
import type { PostgresClient } from "../../stores/postgres/client.ts";
import type { PostgresStoreOptions } from "../../stores/postgres/options.ts";
import type { PostgresPool, PostgresPoolClient } from "../../stores/postgres/transaction.ts";
import { type RetryOptions, retrySettings } from "../retry.ts";

/** The part of a Pool of `pg` that the inbox uses. */
export type InboxPool = PostgresClient & PostgresPool<PostgresPoolClient>;

/** Where an inbox of pg-boss keeps its events, and how it retries them. */
export interface PgBossInboxOptions {
  /**
   * A Pool of `pg` on the database of pg-boss. Give the inbox a pool of its own, with at least two clients: handlers that hold every
   * client of a shared pool keep its events from being renewed.
   */
  readonly pool: InboxPool;
  /**
   * The name of the queue, of at most 80 letters, digits, `_` and `-`. The inbox creates it, `<queue>_parked` and, where pg-boss keeps
   * an order, `<queue>_ordered`.
   */
  readonly queue: string;
  /** The schema of pg-boss, in lower case. @default "pgboss" */
  readonly schema?: string;
  /** How often an event is tried, and how long it waits in between. */
  readonly retry?: RetryOptions;
  /** The options of the dedupe store, such as its table and schema. The inbox creates the table. */
  readonly store?: PostgresStoreOptions;
  /**
   * After how long without a sign of life a worker's events are taken from it, in milliseconds, from 1_000 to 600_000. The same for
   * every worker of the queue.
   * @default 30_000
   */
  readonly lockMs?: number;
}

/** The options, checked and complete. */
export interface InboxSettings {
  readonly pool: InboxPool;
  readonly queue: string;
  readonly schema: string;
  readonly retry: Required<RetryOptions>;
  readonly lockMs: number;
}

/** The checks whose errors name `pgBossInbox`. */
export const checks: OptionChecks = checksFor("pgBossInbox");

/**
 * Checks the options and fills in the defaults.
 *
 * @throws WebhookError `configuration_invalid`, naming the option
 */
export function settingsOf(options: PgBossInboxOptions): InboxSettings {
  checks.names(options, ["pool", "queue", "schema", "retry", "store", "lockMs"]);
  const { pool, queue, schema = "pgboss", retry, lockMs = 30_000 } = options;
  checks.methods("pool", pool, ["query", "connect"]);
  if (!/^[\w-]{1,80}$/.test(queue)) throw checks.invalid("queue", "must be 1 to 80 letters, digits, _ and -");
  if (!/^[a-z_][a-z0-9_]{0,49}$/.test(schema))
    throw checks.invalid("schema", "must be a lower-case name of PostgreSQL");
  checks.integer("lockMs", lockMs, 1_000, 600_000);
  return { pool, queue, schema, retry: retrySettings("pgBossInbox", retry), lockMs };
}
