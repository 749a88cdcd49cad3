import { isPromise } from "../../async.ts";
import { checks, sqlState } from "./errors.ts";
import type { Statement } from "./sql.ts";

/** A value of a statement. */
export type PostgresValue = string | number;

const NO_ACTIVE_TRANSACTION = "25P01";
const LOCK_NOT_AVAILABLE = "55P03";

/** The part of a client that the store needs: a Pool or Client of `pg`, PGlite, or anything with this method. */
export interface PostgresClient {
  /** Runs one statement; resolves to its rows, or rejects with the error of PostgreSQL, its SQLSTATE in `code`. */
  query(text: string, values: PostgresValue[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A row, by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** Runs a statement. It never throws, it rejects. */
export type Ask = (statement: Statement, values: readonly PostgresValue[]) => Promise<readonly Row[]>;

/** How statements are run. */
export interface AskSettings {
  /** Whether `pg` prepares each statement once per connection. */
  readonly prepare: boolean;
  /** How long `pg` waits for an answer, in milliseconds. A pool closes the connection then. */
  readonly abandonAfterMs: number;
}

/** What the store uses of `pg` beyond {@link PostgresClient}. Only a pool has the counts. */
interface Pg {
  query(config: object): Promise<{ readonly rows: readonly unknown[] }>;
  connect(callback: (...given: never[]) => void): unknown;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options?: { readonly query_timeout?: unknown; readonly max?: number };
  /** Only of a client. */
  readonly connectionParameters?: { readonly query_timeout?: unknown };
}

interface PgPoolClient extends TakenClient {
  query(config: object): Promise<{ readonly rows: readonly unknown[] }>;
}

/** The part of a client of a pool that taking and returning it needs. */
interface TakenClient {
  on?(event: "error", listener: () => void): unknown;
  off?(event: "error", listener: () => void): unknown;
  /** With an error the connection is closed. */
  release(broken?: Error | boolean): void;
}

/** Without a listener, a connection that breaks would end the process. The next statement fails anyway. */
const ignoreBreak = () => {};

/**
 * Takes a client of a pool, and lets its connection break without ending the process. It listens before anything else can happen: when
 * a promise of the client is handled, the connection may already have broken.
 */
export function takeClient<Client extends TakenClient>(pool: {
  connect(callback: (...given: never[]) => void): unknown;
}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const taken = (client: Client) => {
      client.on?.("error", ignoreBreak);
      resolve(client);
    };
    const returned = pool.connect((error: unknown, client: Client) => (error ? reject(error) : taken(client)));
    // What wraps a pool may know promises only.
    if (isPromise(returned)) returned.then((client) => taken(client as Client), reject);
  });
}

/**
 * Returns a client to its pool.
 *
 * @param broken an error closes the connection
 */
export function returnClient(client: TakenClient, broken: Error | undefined): void {
  client.off?.("error", ignoreBreak);
  client.release(broken);
}

/**
 * Returns a function that runs statements with any kind of client. With `pg` each is prepared once per connection, which runs
 * half as many statements more in the same time.
 *
 * @throws WebhookError `configuration_invalid` if the client has no method `query`
 */
export function askerFor(client: PostgresClient, { prepare, abandonAfterMs }: AskSettings): Ask {
  requireClient(client);
  if (!isPg(client)) return async ({ text }, values) => (await client.query(text, [...values])).rows as readonly Row[];
  const pg = client as unknown as Pg;
  // Otherwise a connection to a server that vanished stays in use until TCP gives up.
  const own = (pg.options ?? pg.connectionParameters)?.query_timeout;
  const query_timeout = own ? undefined : abandonAfterMs;
  const run = isPgPool(client) ? (config: object) => queryPool(pg, config) : (config: object) => pg.query(config);
  return async ({ name, text }, values) =>
    (await run({ name: prepare ? name : undefined, text, values, query_timeout })).rows as readonly Row[];
}

/**
 * As `query` of the pool, which closes the connection after any error. One that only waited too long for a lock is kept: where many
 * claims of one event wait, each would cost a new connection.
 */
async function queryPool(pool: Pg, config: object): Promise<{ readonly rows: readonly unknown[] }> {
  const client = await takeClient<PgPoolClient>(pool);
  let broken: Error | undefined;
  try {
    return await client.query(config);
  } catch (error) {
    broken = sqlState(error) === LOCK_NOT_AVAILABLE ? undefined : (error as Error);
    throw error;
  } finally {
    returnClient(client, broken);
  }
}

/**
 * Refuses a client that is in no transaction. Recent clients of `pg` know it (8.11 does not); others need one round trip.
 *
 * @param ask fails with 25P01 outside a transaction
 * @throws WebhookError `configuration_invalid`
 */
export async function requireTransaction(
  client: PostgresClient,
  storeClient: PostgresClient,
  ask: () => Promise<unknown>,
): Promise<void> {
  requireClient(client);
  if (client === storeClient || isPgPool(client)) {
    throw checks.invalid(
      "completeIn",
      "needs the client of your transaction; each query of a pool is a transaction of its own",
    );
  }
  const status = (client as { getTransactionStatus?(): unknown }).getTransactionStatus?.() ?? undefined;
  if (status === "I") throw inNoTransaction();
  if (status !== undefined) return;
  await ask().catch((error: unknown) => {
    throw sqlState(error) === NO_ACTIVE_TRANSACTION ? inNoTransaction() : error;
  });
}

function inNoTransaction(): Error {
  return checks.invalid("completeIn", "was given a client that is in no transaction: send BEGIN first");
}

/**
 * How many clients a pool of `pg` has if other code holds all of them, so that every statement of the store waits for one;
 * else `undefined`.
 *
 * @param unanswered how many statements of the store wait or run
 */
export function heldByOthers(client: PostgresClient, unanswered: number): number | undefined {
  if (!isPgPool(client)) return undefined;
  const { totalCount, idleCount, waitingCount, options } = client as unknown as Pg;
  const isFull = totalCount > 0 && idleCount === 0 && totalCount >= (options?.max ?? totalCount);
  return isFull && waitingCount >= unanswered ? totalCount : undefined;
}

function isPg(client: object): boolean {
  return "connect" in client && ("totalCount" in client || "escapeIdentifier" in client);
}

/** Whether a client is a pool of `pg`, or looks like one. */
export function isPgPool(client: object): boolean {
  return isPg(client) && "totalCount" in client;
}

function requireClient(client: PostgresClient): void {
  if (typeof (client as PostgresClient | null | undefined)?.query === "function") return;
  throw checks.invalid(
    "client",
    "must have a method query(text, values); docs/guides/postgres.md shows the adapter for postgres.js",
  );
}
