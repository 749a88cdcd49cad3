import { withTimeout } from "../../async.ts";
import { WebhookError } from "../../errors.ts";
import { isPgPool, type PostgresClient, returnClient, takeClient } from "./client.ts";
import { checks } from "./errors.ts";

/** The part of a Pool of `pg` that `transaction` needs. */
export interface PostgresPool<Client extends PostgresPoolClient> {
  /** How many clients there are; only a pool has it. */
  readonly totalCount: number;
  connect(): Promise<Client>;
  connect(callback: (...given: never[]) => void): void;
}

/** The part of a client of such a pool that `transaction` needs. */
export interface PostgresPoolClient extends PostgresClient {
  /** Returns the client to the pool; with an error or `true` the connection is closed. */
  release(failure?: Error | boolean): void;
  on?(event: "error", listener: (error: Error) => void): unknown;
  off?(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of the `sql` of postgres.js that `transaction` needs; `Sql` is the `sql` of a transaction. */
export interface PostgresJs<Sql extends PostgresJsSql> {
  begin(work: (sql: Sql) => Promise<unknown>): Promise<unknown>;
  begin(options: string, work: (sql: Sql) => Promise<unknown>): Promise<unknown>;
}

/** The `sql` of a transaction of postgres.js. */
export interface PostgresJsSql {
  unsafe(text: string, values: (string | number)[]): PromiseLike<readonly unknown[]>;
}

/** How long BEGIN and COMMIT may take, in milliseconds. */
const STATEMENT_MS = 60_000;
/** How long ROLLBACK may take before the connection is closed, in milliseconds. */
const ROLLBACK_MS = 10_000;

/** Either kind of pool. */
export type TransactionPool = PostgresPool<PostgresPoolClient> | PostgresJs<PostgresJsSql>;

/**
 * Runs `complete` and then `work` in one transaction on a client of the pool: committed when `work` returns, rolled back when
 * anything throws.
 *
 * @throws WebhookError `configuration_invalid` if it is neither kind of pool; `completion_rolled_back` if COMMIT rolled back
 */
export async function inTransaction<Result>(
  pool: TransactionPool,
  complete: (client: PostgresClient) => Promise<void>,
  work: (client: never) => Result | Promise<Result>,
): Promise<Result> {
  if (isPostgresJs(pool)) return inPostgresJs(pool, complete, work as (sql: PostgresJsSql) => Result | Promise<Result>);
  if (isPool(pool)) return inPool(pool, complete, work as (client: PostgresPoolClient) => Result | Promise<Result>);
  throw checks.invalid(
    "transaction",
    "needs a Pool of pg or the sql of postgres.js; with another client, begin the transaction yourself and call completeIn",
  );
}

async function inPool<Result>(
  pool: PostgresPool<PostgresPoolClient>,
  complete: (client: PostgresClient) => Promise<void>,
  work: (client: PostgresPoolClient) => Result | Promise<Result>,
): Promise<Result> {
  const client = await takeClient<PostgresPoolClient>(pool);
  let broken: Error | undefined;
  try {
    await withTimeout(client.query("BEGIN", []), STATEMENT_MS);
    await complete(client);
    const result = await work(client);
    const ended = (await withTimeout(client.query("COMMIT", []), STATEMENT_MS)) as { readonly command?: unknown };
    // The answer of PostgreSQL to COMMIT if a statement of the transaction has failed.
    if (ended.command === "ROLLBACK") throw rolledBack();
    return result;
  } catch (error) {
    // A connection to a server that vanished answers this as little as the statement before.
    broken = await withTimeout(client.query("ROLLBACK", []), ROLLBACK_MS).then(() => undefined, asError);
    throw error;
  } finally {
    returnClient(client, broken);
  }
}

/** If the error of a statement was swallowed, postgres.js itself rolls back. */
async function inPostgresJs<Result>(
  pool: PostgresJs<PostgresJsSql>,
  complete: (client: PostgresClient) => Promise<void>,
  work: (sql: PostgresJsSql) => Result | Promise<Result>,
): Promise<Result> {
  let result: Result | undefined;
  await pool.begin(async (sql) => {
    await complete({ query: async (text, values) => ({ rows: await sql.unsafe(text, values) }) });
    result = await work(sql);
  });
  return result as Result;
}

function isPostgresJs(pool: TransactionPool): pool is PostgresJs<PostgresJsSql> {
  return typeof (pool as Partial<PostgresJs<PostgresJsSql>> | undefined | null)?.begin === "function";
}

function isPool(pool: TransactionPool): pool is PostgresPool<PostgresPoolClient> {
  return Object(pool) === pool && isPgPool(pool);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("ROLLBACK failed");
}

function rolledBack(): WebhookError {
  return new WebhookError(
    "completion_rolled_back",
    "postgresStore: a statement of the transaction failed and its error was swallowed, so PostgreSQL rolled it back",
  );
}
