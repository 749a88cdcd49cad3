/**
 * The dedupe store in PostgreSQL, shared by all processes, with exactly once in your own transaction.
 *
 * @example
 * import { Pool } from "pg";
 * import { createReceiver } from "bluum-webhooks";
 * import { postgresStore } from "bluum-webhooks/stores/postgres";
 *
 * const store = postgresStore(new Pool({ connectionString: "postgres://localhost/app" }));
 * await store.migrate();
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", store });
 *
 * @module bluum-webhooks/stores/postgres
 */

import { type MaybePromise, withTimeout } from "../async.ts";
import { messageOf } from "./backend/failure.ts";
import { countUnanswered } from "./backend/unanswered.ts";
import { claimResult, completeResult, wasLive } from "./postgres/answers.ts";
import {
  type Ask,
  type AskSettings,
  askerFor,
  heldByOthers,
  type PostgresClient,
  type PostgresValue,
  type Row,
  requireTransaction,
} from "./postgres/client.ts";
import { askWhileContended, type Contention, isContention } from "./postgres/contention.ts";
import { checks, failure, sqlState } from "./postgres/errors.ts";
import { MAINTENANCE_TIMEOUT_MS, migrate } from "./postgres/migrate.ts";
import { type PostgresSettings, type PostgresStoreOptions, settingsOf } from "./postgres/options.ts";
import { purge, purgeEvery } from "./postgres/purge.ts";
import { type PostgresStatements, type Statement, statementsFor } from "./postgres/sql.ts";
import {
  inTransaction,
  type PostgresJs,
  type PostgresJsSql,
  type PostgresPool,
  type PostgresPoolClient,
  type TransactionPool,
} from "./postgres/transaction.ts";
import type { DedupeStore } from "./store.ts";
import { claimBehind, claimLost, type HeldClaim } from "./transaction.ts";

export type { PostgresClient, PostgresValue } from "./postgres/client.ts";
export type { PostgresStoreOptions } from "./postgres/options.ts";
export type { PostgresJs, PostgresJsSql, PostgresPool, PostgresPoolClient } from "./postgres/transaction.ts";
export type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** A dedupe store in PostgreSQL. */
export interface PostgresStore extends DedupeStore {
  /**
   * Deletes the record of the event, so that a deliberate replay runs again.
   *
   * @returns true if there was one
   * @throws WebhookError `store_unavailable`, with the error of PostgreSQL as its cause
   */
  forget(key: string): Promise<boolean>;
  /**
   * Creates the table and its index if they are missing. Any number of processes may call it at once, and at every start.
   *
   * @throws WebhookError `store_unavailable`, with the error of PostgreSQL as its cause
   */
  migrate(): Promise<void>;
  /**
   * Deletes the records whose lease or retention has expired. The verbs do not need it; it frees space.
   *
   * @param options `batch`: how many rows one statement deletes, from 1 to 100_000; default 1_000
   * @returns how many rows it deleted
   * @throws WebhookError `store_unavailable`; what earlier batches deleted stays deleted
   */
  purge(options?: { readonly batch?: number }): Promise<number>;
  /**
   * Completes the event inside a transaction that you begin and commit yourself; {@link PostgresStore.transaction} does all of
   * it in one call. Your rows and the completion are committed together, or neither is. Call it first in the transaction, so that
   * a lost claim is noticed before the work. If it throws, roll the transaction back. It stops the lease renewals: from now on the
   * row lock guards the claim.
   *
   * @param context the context that the handler was given
   * @param client the client of your transaction: one of `pg` after BEGIN, the `tx` of PGlite, or the adapter around the
   *   `sql` of a postgres.js transaction
   * @throws WebhookError `claim_lost` if another process holds or has completed the event, or an earlier transaction of this
   *   delivery has completed it; `configuration_invalid`, before anything is written, if the client is in no transaction or the
   *   context belongs to no delivery of this store; `store_unavailable` if no answer came within `timeoutMs`
   * @throws the error of PostgreSQL, as it is
   */
  completeIn(context: object, client: PostgresClient): Promise<void>;
  /**
   * Runs `work` in a transaction that also completes the event: BEGIN, the completion, `work`, COMMIT, on one client of the pool.
   * If anything throws before COMMIT, all of it is rolled back. If COMMIT itself fails, the receiver asks the store whether it was
   * committed. If another process holds the event, `work` does not run.
   *
   * @param context the context that the handler was given
   * @param pool a Pool of `pg`, or the `sql` of postgres.js; the app's own, not the pool of the store
   * @param work is called with the client of the transaction (postgres.js: its `sql`), and uses no other
   * @returns what `work` returned, once it is committed
   * @throws what `work` threw, and what {@link PostgresStore.completeIn} throws; `configuration_invalid` if `pool` is neither;
   *   `completion_rolled_back` if a statement failed and `work` swallowed its error
   * @example
   * receiver.on("transfer.deposit.completed", ({ data }, context) =>
   *   store.transaction(context, pool, (client) =>
   *     client.query("INSERT INTO ledger (deposit, amount) VALUES ($1, $2)", [data.id, data.amount]),
   *   ),
   * );
   */
  transaction<Client extends PostgresPoolClient, Result>(
    context: object,
    pool: PostgresPool<Client>,
    work: (client: Client) => Result | Promise<Result>,
  ): Promise<Result>;
  transaction<Sql extends PostgresJsSql, Result>(
    context: object,
    sql: PostgresJs<Sql>,
    work: (sql: Sql) => Result | Promise<Result>,
  ): Promise<Result>;
  /** Stops the background purge. The pool stays open; it is yours. */
  close(): Promise<void>;
}

/** How long one statement of the token that holds the event waits for the lock of its row. */
const OWN_LOCK_MS = 250;
/** How long one statement of a claim waits for that lock: fifty duplicates must not use up the pool. */
const CLAIM_LOCK_MS = 50;
/** How long a claim tries again while the row is locked, before it answers `in_flight`. */
const CLAIM_PATIENCE_MS = 150;
/** After this many times `timeoutMs` a pool closes a connection that does not answer. A late claim has expired by then. */
const ABANDONED_AFTER_TIMEOUTS = 15;
const DEFAULT_BATCH = 1_000;
const MAX_BATCH = 100_000;
const STILL_CONTENDED: Readonly<Record<Contention, string>> = {
  raced: "other processes kept changing its row",
  locked: "an open transaction keeps its row locked",
};

type Verb = "claim" | "renew" | "complete" | "release" | "forget";
type Read<Answer> = (rows: readonly Row[]) => Answer | Contention;

/**
 * A store in PostgreSQL (12 and later), shared by every process that uses the same table and namespace. One statement a verb,
 * timed by the server's clock. `completeIn` and `transaction` make the effect of a handler happen exactly once.
 *
 * @param pool a Pool of `pg` (or a Client, for scripts), a PGlite, or anything with `query(text, values)`; postgres.js fits
 *   through the one-line adapter in `docs/guides/postgres.md`. Give the store a pool of its own: handlers that hold every client of a
 *   shared pool keep claims from being renewed. The store never ends it. A Pool emits `error` when an idle connection breaks;
 *   without a listener that ends the process
 * @throws WebhookError `configuration_invalid` if the pool or an option is not valid; the verbs reject with
 *   `store_unavailable`, with the error of PostgreSQL or of the client as its cause
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 }); // for the store alone
 * pool.on("error", (error) => log.error(error));
 * const store = postgresStore(pool, { purgeEveryMs: 3_600_000 });
 * await store.migrate();
 * const receiver = createReceiver({ secret, namespace: "ledger", store });
 */
export function postgresStore(pool: PostgresClient, options: PostgresStoreOptions = {}): PostgresStore {
  const settings = settingsOf(options);
  const table = new EventTable(pool, settings);
  const store: PostgresStore = {
    async claim(key, { token, leaseMs }) {
      const answer = await table.ask("claim", [key, token, leaseMs], claimResult, CLAIM_PATIENCE_MS);
      if (!isContention(answer)) return answer;
      // Another's open transaction has the event, for an unknown time.
      return { status: "in_flight", remainingMs: Math.max(1, Math.floor(leaseMs)) };
    },
    renew: async (key, { token, leaseMs }) => table.decide("renew", [key, token, leaseMs], (rows) => rows.length > 0),
    complete: async (key, { token, retentionMs }) =>
      table.decide("complete", [key, token, retentionMs], completeResult),
    release: async (key, { token }) => table.decide("release", [key, token], wasLive),
    forget: async (key) => table.decide("forget", [key], wasLive),
    unanswered: table.unanswered,
    migrate: async () => table.migrate(),
    purge: async ({ batch = DEFAULT_BATCH } = {}) => table.purge(checks.integer("batch", batch, 1, MAX_BATCH)),
    completeIn: async (context, client) => table.completeIn(claimBehind(context, store), client),
    async transaction<Result>(context: object, own: TransactionPool, work: (client: never) => MaybePromise<Result>) {
      const claim = claimBehind(context, store);
      return inTransaction(own, (client) => table.completeOn(claim, client), work);
    },
    close: purgeInBackground(table, settings),
  };
  return store;
}

/** Starts the background purge if `purgeEveryMs` is set; returns what stops it. */
function purgeInBackground(table: EventTable, { purgeEveryMs, warn }: PostgresSettings): () => Promise<void> {
  if (purgeEveryMs === undefined) return async () => {};
  const onFailure = (error: unknown) =>
    warn(`bluum-webhooks: ${messageOf(error)}. The next background purge tries again.`);
  return purgeEvery(purgeEveryMs, (isStopped) => table.purgeInTurn(isStopped), onFailure);
}

/** The table of events, and the statements about it. */
class EventTable {
  readonly #pool: PostgresClient;
  readonly #settings: PostgresSettings;
  readonly #sql: PostgresStatements;
  readonly #asking: AskSettings;
  readonly #send: Ask;
  readonly #sendForMaintenance: Ask;
  #hasWarnedOfPool = false;

  /** How many statements PostgreSQL has not answered yet. */
  readonly unanswered: () => number;

  constructor(pool: PostgresClient, settings: PostgresSettings) {
    const { table, schema, timeoutMs, prepare } = settings;
    const lockMs = (most: number) => Math.max(1, Math.min(most, Math.floor(timeoutMs / 4)));
    this.#pool = pool;
    this.#settings = settings;
    this.#sql = statementsFor({ table, schema, ownLockMs: lockMs(OWN_LOCK_MS), claimLockMs: lockMs(CLAIM_LOCK_MS) });
    this.#asking = { prepare, abandonAfterMs: ABANDONED_AFTER_TIMEOUTS * timeoutMs };
    const { call, unanswered } = countUnanswered(askerFor(pool, this.#asking));
    this.#send = call;
    this.unanswered = unanswered;
    this.#sendForMaintenance = askerFor(pool, { prepare, abandonAfterMs: MAINTENANCE_TIMEOUT_MS });
  }

  /** Runs the statement of a verb, and again while others contend for the row: for up to `lockedMs` while it is locked. */
  async ask<Answer>(verb: Verb, values: PostgresValue[], read: Read<Answer>, lockedMs: number) {
    const { timeoutMs } = this.#settings;
    const patienceMs = { raced: timeoutMs / 2, locked: Math.min(lockedMs, timeoutMs / 2) };
    const askOnce = async () => read(await this.#send(this.#sql[verb], values));
    try {
      return await withTimeout(askWhileContended(patienceMs, askOnce), timeoutMs);
    } catch (error) {
      this.#warnIfPoolIsHeld(verb);
      throw failure(`${verb} the event`, error);
    }
  }

  /** The same, for a verb that fails if the contention lasts. */
  async decide<Answer>(verb: Verb, values: PostgresValue[], read: Read<Answer>): Promise<Answer> {
    const answer = await this.ask(verb, values, read, this.#settings.timeoutMs);
    if (!isContention(answer)) return answer;
    throw failure(`${verb} the event`, new Error(STILL_CONTENDED[answer]));
  }

  migrate(): Promise<void> {
    return migrate(this.#sendForMaintenance, this.#sql);
  }

  purge(batch: number): Promise<number> {
    return purge(this.#sendForMaintenance, this.#sql.purge, batch);
  }

  /** The same, unless another process purges the table now. */
  purgeInTurn(isStopped: () => boolean): Promise<number> {
    return purge(this.#sendForMaintenance, this.#sql.purgeInTurn, DEFAULT_BATCH, isStopped);
  }

  /** Completes the event in the caller's transaction, and refuses a client that is in none. */
  async completeIn(claim: HeldClaim, client: PostgresClient): Promise<void> {
    await requireTransaction(client, this.#pool, () => this.#sendOn(client, this.#sql.requireTransaction, []));
    await this.completeOn(claim, client);
  }

  /** Completes the event in the transaction that the client is in. */
  async completeOn(claim: HeldClaim, client: PostgresClient): Promise<void> {
    claim.handOver();
    const rows = await this.#sendOn(client, this.#sql.completeIn, [claim.key, claim.token, claim.retentionMs]);
    if (rows.length === 0) throw claimLost();
    claim.completionWritten();
  }

  /** Errors of PostgreSQL pass as they are: the caller may retry the transaction, depending on the SQLSTATE. */
  async #sendOn(client: PostgresClient, statement: Statement, values: PostgresValue[]): Promise<readonly Row[]> {
    try {
      return await withTimeout(askerFor(client, this.#asking)(statement, values), this.#settings.timeoutMs);
    } catch (error) {
      throw sqlState(error) === undefined ? failure("complete the event", error) : error;
    }
  }

  /** Warns once if handlers hold every client of the pool that the store shares with them. */
  #warnIfPoolIsHeld(verb: string): void {
    const clients = heldByOthers(this.#pool, this.unanswered());
    if (clients === undefined || this.#hasWarnedOfPool) return;
    this.#hasWarnedOfPool = true;
    this.#settings.warn(
      `bluum-webhooks: postgresStore could not ${verb} the event, because other code holds every client of its pool of ${clients}. ` +
        "A claim that is not renewed within its lease is given to another process, and the event runs twice at once. " +
        "Give the store a pool of its own (docs/guides/postgres.md), or let handlers hold clients for a shorter time.",
    );
  }
}
