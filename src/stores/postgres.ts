import { withTimeout } from "../async.ts";
import { WebhookError } from "../errors.ts";
import { messageOf } from "./failure.ts";
import { claimer } from "./postgres/claim.ts";
import {
  askerFor,
  heldByOthers,
  type PostgresClient,
  type PostgresValue,
  type Row,
  requireTransaction,
} from "./postgres/client.ts";
import { failure, sqlState } from "./postgres/errors.ts";
import { type PostgresStoreOptions, requireWhole, settingsOf } from "./postgres/options.ts";
import { purgeInBackground } from "./postgres/purge.ts";
import { type Statement, statementsFor } from "./postgres/sql.ts";
import { MAINTENANCE_TIMEOUT_MS, tableKeeper } from "./postgres/table.ts";
import {
  inTransaction,
  type PostgresJs,
  type PostgresJsSql,
  type PostgresPool,
  type PostgresPoolClient,
  type TransactionPool,
} from "./postgres/transaction.ts";
import { askWhileContended, type Contention, isContention } from "./postgres/waiting.ts";
import type { CompleteResult, DedupeStore } from "./store.ts";
import { claimBehind, type HeldClaim } from "./transaction.ts";
import { countUnanswered } from "./unanswered.ts";

export type { PostgresClient, PostgresValue } from "./postgres/client.ts";
export type { PostgresStoreOptions } from "./postgres/options.ts";
export type { PostgresJs, PostgresJsSql, PostgresPool, PostgresPoolClient } from "./postgres/transaction.ts";
export type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";

/** A dedupe store in PostgreSQL. */
export interface PostgresStore extends DedupeStore {
  /** As the contract says; always there. */
  forget(key: string): Promise<boolean>;
  /**
   * Makes the table and its index where they are missing. Any number of processes may call it at once, and at every start:
   * where both are there it touches neither.
   *
   * @throws WebhookError `store_unavailable`, the error of PostgreSQL as its cause
   */
  migrate(): Promise<void>;
  /**
   * Deletes the records whose lease or retention has ended. The verbs do not need it: it gives space back.
   *
   * @param options `batch`: how many rows one statement deletes, from 1 to 100_000; default 1_000
   * @returns how many rows it deleted
   * @throws WebhookError `store_unavailable`; what earlier batches deleted stays deleted
   */
  purge(options?: { readonly batch?: number }): Promise<number>;
  /**
   * Completes the event of a delivery inside a transaction that you begin and commit yourself; {@link PostgresStore.transaction}
   * does all of it in one call. Your rows and the completion are committed together, or neither is. It ends the claim's
   * renewals, since from here on the row's lock guards the claim. Call it first in the transaction: a process that lost the event
   * then learns it before the work. Let what it throws roll the transaction back.
   *
   * @param context the context that the handler was given
   * @param client the client of your transaction: one of `pg` after BEGIN, the `tx` of PGlite, or the adapter around the
   *   `sql` that postgres.js gives to `begin`
   * @throws WebhookError `claim_lost` where another process holds or has completed the event, or an earlier transaction of
   *   this very delivery has completed it; `configuration_invalid` where the client is in no transaction or the context is none of
   *   a delivery's, and then nothing was written; `store_unavailable` where there is no answer within `timeoutMs`; else the error of
   *   PostgreSQL as it is
   * @example
   * await client.query("BEGIN");
   * await store.completeIn(context, client);
   * await client.query("INSERT INTO ledger (deposit, amount) VALUES ($1, $2)", [deposit.id, deposit.amount]);
   * await client.query("COMMIT");
   */
  completeIn(context: object, client: PostgresClient): Promise<void>;
  /**
   * Runs `work` in a transaction that also completes the event: takes a client of the pool, sends BEGIN, completes the event, runs
   * `work`, sends COMMIT and releases the client. Where anything throws before COMMIT, it rolls back, and nothing of it has
   * happened; where COMMIT itself fails, the receiver asks the store what became of it. Where another process has the event,
   * `work` is not run.
   *
   * @param context the context that the handler was given
   * @param pool a Pool of `pg`, or the `sql` of postgres.js; the app's own, not the one that was given to the store
   * @param work gets the client of the transaction (postgres.js: its `sql`), and does everything on that one
   * @returns what `work` returned, once it is committed
   * @throws what `work` threw, and what {@link PostgresStore.completeIn} throws; `configuration_invalid` where the pool is none;
   *   `completion_rolled_back` where a statement failed and `work` swallowed its error
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
  /** Stops the background purge. The pool stays yours, and open. */
  close(): Promise<void>;
}

/** How long a verb of whoever holds the event waits, in one statement, for somebody's lock on its row. */
const OWN_LOCK_MS = 250;
/** How long a claim does: fifty duplicates must not hold the pool up. */
const CLAIM_LOCK_MS = 50;
/** A late answer may tell of a claim to be released; by then it would have lapsed, and the connection is worth more. */
const ABANDONED_AFTER_TIMEOUTS = 15;
const DEFAULT_BATCH = 1_000;
const RACED = "too many others were at it at once";
const LOCKED = "an open transaction has its row locked";
const LOST =
  "completeIn: the event is held or was completed by another process, or an earlier transaction of this delivery has " +
  "completed it. Let this error roll the transaction back.";

/**
 * A store in PostgreSQL (12 and later), shared by every process that uses the same table and namespace. One statement a verb,
 * timed by the server's clock; and with `completeIn` the way to an effect that happens exactly once.
 *
 * @param pool a Pool of `pg` (or a Client, for scripts), a PGlite, or anything with `query(text, values)`; postgres.js fits
 *   through the one-line adapter in `docs/stores-postgres.md`. Give the store a pool of its own: handlers that hold every client of a
 *   shared one keep claims from being renewed. It stays yours: the store never ends it. A Pool emits `error` when
 *   an idle connection breaks, and without a listener of yours that ends the process
 * @throws WebhookError `configuration_invalid` where the pool or an option is none; the verbs reject with
 *   `store_unavailable`, the error of PostgreSQL or of the client as its cause
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 }); // for the store alone
 * pool.on("error", (error) => log.error(error));
 * const store = postgresStore(pool, { purgeEveryMs: 3_600_000 });
 * await store.migrate();
 * const receiver = createReceiver({ secret, namespace: "ledger", store });
 */
export function postgresStore(pool: PostgresClient, options: PostgresStoreOptions = {}): PostgresStore {
  const { table, schema, timeoutMs, purgeEveryMs, prepare, warn } = settingsOf(options);
  const lockMs = (atMost: number) => Math.max(1, Math.min(atMost, Math.floor(timeoutMs / 4)));
  const sql = statementsFor({ table, schema, ownLockMs: lockMs(OWN_LOCK_MS), claimLockMs: lockMs(CLAIM_LOCK_MS) });
  const terms = { prepare, abandonAfterMs: ABANDONED_AFTER_TIMEOUTS * timeoutMs };
  const { call: ask, unanswered } = countUnanswered(askerFor(pool, terms));
  const patience = { raced: timeoutMs / 2, locked: timeoutMs / 2, waited: timeoutMs / 2 };
  const keeper = tableKeeper(askerFor(pool, { prepare, abandonAfterMs: MAINTENANCE_TIMEOUT_MS }), sql);
  const purgeInTurn = (stopped: () => boolean) => keeper.purgeInTurn(DEFAULT_BATCH, stopped);
  const background = purgeEveryMs === undefined ? undefined : purgeInBackground(purgeEveryMs, purgeInTurn, onTrouble);

  function onTrouble(error: unknown): void {
    if (warn !== false) warn(`bluum-webhooks: ${messageOf(error)}. It will be tried again.`);
  }

  let warnedOfPool = false;

  /** The failure of a verb. Warns once where handlers hold every client of the pool that the store shares with them. */
  function failed(task: string, error: unknown): WebhookError {
    const clients = heldByOthers(pool, unanswered());
    if (clients !== undefined && warn !== false && !warnedOfPool) {
      warnedOfPool = true;
      warn(poolHeld(task, clients));
    }
    return failure(task, error);
  }

  /** A verb of whoever holds the event. What has the row locked does not for long, or else the verb fails. */
  async function own<Answer>(
    task: string,
    statement: Statement,
    values: readonly PostgresValue[],
    read: (rows: readonly Row[]) => Answer | Contention,
  ): Promise<Answer> {
    try {
      const askOnce = async () => read(await ask(statement, values));
      const answer = await withTimeout(askWhileContended(patience, askOnce), timeoutMs);
      if (isContention(answer)) throw new Error(answer === "raced" ? RACED : LOCKED);
      return answer;
    } catch (error) {
      throw failed(`${task} the event`, error);
    }
  }

  /** Writes the completion in the transaction that the client is in. */
  async function completeOn(claim: HeldClaim, client: PostgresClient): Promise<void> {
    claim.handOver();
    const answer = askerFor(client, terms)(sql.completeIn, [claim.key, claim.token, claim.retentionMs]);
    const rows = await withTimeout(answer, timeoutMs).catch(asItIs);
    if (rows.length === 0) throw new WebhookError("claim_lost", LOST);
    claim.completionWritten();
  }

  const store: PostgresStore = {
    claim: claimer(ask, sql, timeoutMs, failed),

    async renew(key, { token, leaseMs }) {
      return own("renew", sql.renew, [key, token, leaseMs], (rows) => rows.length > 0);
    },

    async complete(key, { token, retentionMs }) {
      return own("complete", sql.complete, [key, token, retentionMs], completeResult);
    },

    async release(key, { token }) {
      return own("release", sql.release, [key, token], wasLive);
    },

    async forget(key) {
      return own("forget", sql.forget, [key], wasLive);
    },

    unanswered,

    migrate: keeper.migrate,

    async purge({ batch = DEFAULT_BATCH } = {}) {
      requireWhole("batch", batch, 1, 100_000);
      return keeper.purge(batch);
    },

    async completeIn(context, client) {
      const claim = claimBehind(context, store);
      const askIt = () => withTimeout(askerFor(client, terms)(sql.requireTransaction, []), timeoutMs).catch(asItIs);
      await requireTransaction(client, pool, askIt);
      await completeOn(claim, client);
    },

    async transaction<Result>(
      context: object,
      own: TransactionPool,
      work: (client: never) => Result | Promise<Result>,
    ): Promise<Result> {
      const claim = claimBehind(context, store);
      return inTransaction(own, (client) => completeOn(claim, client), work);
    },

    async close() {
      await background?.stop();
    },
  };
  return store;
}

function poolHeld(task: string, clients: number): string {
  return (
    `bluum-webhooks: postgresStore could not ${task}, because other code holds every client of its pool of ${clients}. ` +
    "A claim that is not renewed within its lease is given to another process, and the event runs twice at once. " +
    "Give the store a pool of its own (docs/stores-postgres.md), or let handlers hold clients for a shorter time."
  );
}

function completeResult([row]: readonly Row[]): CompleteResult | Contention {
  switch (row?.answer) {
    case "stored":
    case "held_by_another":
    case "completed_by_another":
    case "raced":
      return row.answer;
    default:
      throw new Error("the client gave other rows than the statement has");
  }
}

function wasLive([row]: readonly Row[]): boolean {
  return row?.live === true;
}

/** Whoever runs a transaction may want to try it again, which hangs on the SQLSTATE. */
function asItIs(error: unknown): never {
  throw sqlState(error) === undefined ? failure("complete the event", error) : error;
}
