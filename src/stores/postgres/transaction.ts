import { WebhookError } from "../../errors.ts";
import { isPgPool, type PostgresClient } from "./client.ts";
import { invalid } from "./errors.ts";

/** What `transaction` asks of a Pool of `pg`. */
export interface PostgresPool<Client extends PostgresPoolClient> {
  /** How many clients there are; tells a pool from a client. */
  readonly totalCount: number;
  connect(): Promise<Client>;
  connect(callback: (...given: never[]) => void): void;
}

/** What `transaction` asks of a client of such a pool. */
export interface PostgresPoolClient extends PostgresClient {
  /** Returns the client to the pool; with an error or `true` the connection is closed. */
  release(failure?: Error | boolean): void;
  on?(event: "error", listener: (error: Error) => void): unknown;
  off?(event: "error", listener: (error: Error) => void): unknown;
}

/** What `transaction` asks of the `sql` of postgres.js; `Sql` is what its `begin` gives. */
export interface PostgresJs<Sql extends PostgresJsSql> {
  begin(work: (sql: Sql) => Promise<unknown>): Promise<unknown>;
  begin(options: string, work: (sql: Sql) => Promise<unknown>): Promise<unknown>;
}

/** The `sql` of a transaction of postgres.js. */
export interface PostgresJsSql {
  unsafe(text: string, values: (string | number)[]): PromiseLike<readonly unknown[]>;
}

/** Either kind of pool. */
export type TransactionPool = PostgresPool<PostgresPoolClient> | PostgresJs<PostgresJsSql>;

/**
 * Runs `complete` and then `work` in one transaction on a client of the pool: committed when `work` returns, rolled back when
 * anything throws.
 *
 * @throws WebhookError `configuration_invalid` where the pool is none; `completion_rolled_back` where COMMIT rolled back
 */
export async function inTransaction<Result>(
  pool: TransactionPool,
  complete: (client: PostgresClient) => Promise<void>,
  work: (client: never) => Result | Promise<Result>,
): Promise<Result> {
  if (isPostgresJs(pool)) return inPostgresJs(pool, complete, work as (sql: PostgresJsSql) => Result | Promise<Result>);
  if (isPool(pool)) return inPool(pool, complete, work as (client: PostgresPoolClient) => Result | Promise<Result>);
  throw invalid(
    "transaction",
    "needs a Pool of pg or the sql of postgres.js; with another client, begin the transaction yourself and call completeIn",
  );
}

async function inPool<Result>(
  pool: PostgresPool<PostgresPoolClient>,
  complete: (client: PostgresClient) => Promise<void>,
  work: (client: PostgresPoolClient) => Result | Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks between two statements would end the process. The next statement fails, which is enough.
  const ignore = () => {};
  client.on?.("error", ignore);
  let result: Result;
  let ended: object;
  let failure: Error | undefined;
  try {
    await client.query("BEGIN", []);
    await complete(client);
    result = await work(client);
    ended = await client.query("COMMIT", []);
  } catch (error) {
    failure = await client.query("ROLLBACK", []).then(() => undefined, asError);
    throw error;
  } finally {
    client.off?.("error", ignore);
    client.release(failure);
  }
  // What COMMIT answers in a transaction in which a statement has failed.
  if ((ended as { command?: unknown }).command === "ROLLBACK") throw rolledBack();
  return result;
}

/** postgres.js itself rolls back where a statement failed and its error was swallowed. */
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
    "postgresStore: a statement of the transaction failed and its error was swallowed, so PostgreSQL rolled all of it back",
  );
}
