import { ignoreRejection, isPromise } from "../async.ts";
import { WebhookError } from "../errors.ts";
import {
  insideTransaction,
  isBusy,
  type SqliteDatabase,
  type SqliteStatement,
  transact,
  withoutBlocking,
} from "./sqlite/database.ts";
import { SqliteEvents } from "./sqlite/events.ts";
import { SqliteTurns } from "./sqlite/turns.ts";
import type { ClaimResult, DedupeStore } from "./store.ts";
import { claimBehind } from "./transaction.ts";

export type { SqliteDatabase, SqliteStatement };

/** How a SQLite store names its table, waits and tells the time. */
export interface SqliteStoreOptions {
  /**
   * The table, made on first use: up to 63 letters, digits and underscores, not beginning with a digit or `sqlite_`.
   * @default "bluum_webhook_events"
   */
  readonly table?: string;
  /**
   * How long a verb waits for a database that another connection has locked, in milliseconds, before it rejects. It waits
   * without blocking the event loop, whatever the connection's own `busy_timeout`. From 0 to 10,000.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /**
   * Whether to switch the database file to write-ahead logging (`PRAGMA journal_mode = WAL`), which stays with the file. With `false` the
   * file stays as it is; then readers and writers lock one another out.
   * @default true
   */
  readonly wal?: boolean;
  /**
   * The clock, in milliseconds since 1970. All processes on one file must share it.
   * @default Date.now
   */
  readonly now?: () => number;
}

/** A {@link DedupeStore} in a SQLite file. */
export interface SqliteStore extends DedupeStore {
  forget(key: string): Promise<boolean>;
  /**
   * Completes the event inside the transaction that is open on the store's connection, so that the handler's own rows and the
   * completion are committed together or not at all. Synchronous, as the drivers' transactions are. Call it first: whoever lost the event
   * then learns it before the work. Where it throws, let the transaction roll back.
   *
   * @param context the delivery's context, as the handler got it
   * @throws WebhookError `claim_lost` where another holds the event, or where it is completed already
   * @throws WebhookError `configuration_invalid` outside a transaction, or for a context of another store's receiver
   * @throws whatever the driver threw
   * @example
   * const credit = database.transaction((deposit, context) => {
   *   store.completeIn(context);
   *   insertIntoLedger.run(deposit.id, deposit.amount);
   * });
   * receiver.on("transfer.deposit.completed", (event, context) => credit.immediate(event.data, context));
   */
  completeIn(context: object): void;
  /**
   * Runs `work` in a transaction that also completes the event, on the store's connection: BEGIN IMMEDIATE, the completion,
   * `work`, COMMIT. Where anything throws, it rolls back, and nothing of it has happened. Where another process has the event,
   * `work` is not run. While another connection holds the lock it waits for up to `timeoutMs`, without blocking the event loop.
   *
   * @param context the context that the handler was given
   * @param work synchronous; writes its rows on the connection that the store was given
   * @returns what `work` returned, once it is committed
   * @throws what `work` threw; WebhookError `claim_lost` where another process holds or has completed the event;
   *   `configuration_invalid` for a context of another store's receiver, and where `work` gives a promise; `store_unavailable` where
   *   the database stays locked, or is inside a transaction; else what the driver threw
   * @example
   * const insert = database.prepare("INSERT INTO ledger (deposit, amount) VALUES (?, ?)");
   * receiver.on("transfer.deposit.completed", ({ data }, context) =>
   *   store.transaction(context, () => insert.run(data.id, data.amount)),
   * );
   */
  transaction<Result>(context: object, work: () => Result): Promise<Result>;
  /**
   * Deletes every record whose time is over, in short transactions with pauses in between. Never needed for correctness, and
   * seldom for space: each claim deletes a few.
   *
   * @param options.batch how many at most in one transaction; default 500
   * @returns how many were deleted
   * @throws WebhookError `configuration_invalid` where `batch` is not a whole number from 1 up
   */
  purge(options?: { readonly batch?: number }): Promise<number>;
}

const DEFAULT_TABLE = "bluum_webhook_events";
const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_BATCH = 500;
const OPTIONS = ["table", "timeoutMs", "wal", "now"];
/** Ended records deleted along the way by each claim. More than the one that it adds, so that they dwindle. */
const SWEPT_AT_ONCE = 4;

/**
 * A store in a SQLite file: survives restarts, and is shared by all the processes of one machine that open the file. It makes its table on
 * first use and never closes the database. A database that is locked, full, read-only or closed makes the verbs reject until it
 * is well again.
 *
 * Give it a connection on which nobody leaves a transaction open: inside one every verb but `completeIn` rejects, since a
 * rollback would take back what was answered.
 *
 * @param database a libsql, better-sqlite3, `node:sqlite` or `bun:sqlite` database
 * @throws WebhookError `configuration_invalid`, naming the option
 * @example
 * import Database from "libsql";
 * const store = sqliteStore(new Database("webhooks.db"));
 * const receiver = createReceiver({ secret, store, namespace: "billing" });
 */
export function sqliteStore(database: SqliteDatabase, options: SqliteStoreOptions = {}): SqliteStore {
  const { table = DEFAULT_TABLE, timeoutMs = DEFAULT_TIMEOUT_MS, wal = true, now: clock = Date.now } = options;
  refuseUnknown(options);
  requireTableName(table);
  requireWhole("timeoutMs", timeoutMs, 0, 10_000);
  if (typeof wal !== "boolean") throw invalid("wal must be true or false");
  if (typeof clock !== "function") throw invalid("now must be a function");
  requireSynchronous(database);

  const events = new SqliteEvents(database, table);
  const turns = new SqliteTurns(timeoutMs);
  const now = () => Math.floor(clock());

  /** Does one verb's work under the write lock: what it finds stands until it has written. */
  function write<Result>(work: (at: number) => Result, glance?: () => Result | undefined): Promise<Result> {
    return turns.take("other", () => apart("IMMEDIATE", work), glance);
  }

  /** The same for whoever is at work on the event. */
  function writeFirst<Result>(work: (at: number) => Result): Promise<Result> {
    return turns.take("holder", () => apart("IMMEDIATE", work));
  }

  /** Does some work in a transaction apart from any of the caller's. */
  function apart<Result>(mode: "DEFERRED" | "IMMEDIATE", work: (at: number) => Result): Result {
    if (insideTransaction(database)) throw transactionInTheWay();
    return withoutBlocking(database, () => {
      try {
        if (!events.isSetUp) events.setUp(wal);
        return transact(database, mode, () => work(now()));
      } catch (error) {
        if (!isBusy(error)) events.doubt();
        throw error;
      }
    });
  }

  /** What stands in a claim's way. */
  function obstacle(key: string, token: string, at: number): ClaimResult | undefined {
    const known = events.find(key, at);
    if (known?.completed) return { status: "completed" };
    if (known && known.token !== token) return { status: "in_flight", remainingMs: known.endsAt - at };
    return undefined;
  }

  /** One try of `transaction`. What `work` throws is given back: it is no reason to try again, even if it says "locked". */
  function completing<Result>(context: object, work: () => Result): { result: Result } | { error: unknown } {
    let failure: { error: unknown } | undefined;
    function run(): Result {
      store.completeIn(context);
      try {
        return refuseAsynchronous(work());
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
    if (insideTransaction(database)) throw transactionInTheWay();
    try {
      return { result: withoutBlocking(database, () => transact(database, "IMMEDIATE", run)) };
    } catch (error) {
      if (failure !== undefined) return failure;
      throw error;
    }
  }

  const store: SqliteStore = {
    async claim(key, { token, leaseMs }) {
      const found = (at: number) => obstacle(key, token, at);
      const take = (at: number): ClaimResult => {
        events.sweep(at, SWEPT_AT_ONCE);
        const inTheWay = found(at);
        if (inTheWay) return inTheWay;
        events.put(key, { token, completed: false, endsAt: at + leaseMs });
        return { status: "claimed" };
      };
      // While somebody holds the write lock for long, duplicates need not wait: what is committed can be read all the same.
      return write(take, () => apart("DEFERRED", found));
    },

    async renew(key, { token, leaseMs }) {
      return writeFirst((at) => {
        const known = events.find(key, at);
        if (!known || known.completed || known.token !== token) return false;
        events.put(key, { token, completed: false, endsAt: at + leaseMs });
        return true;
      });
    },

    async complete(key, { token, retentionMs }) {
      return writeFirst((at) => {
        const known = events.find(key, at);
        if (known && known.token !== token) return known.completed ? "completed_by_another" : "held_by_another";
        if (!known?.completed) events.put(key, { token, completed: true, endsAt: at + retentionMs });
        return "stored";
      });
    },

    async release(key, { token }) {
      return write((at) => {
        const known = events.find(key, at);
        if (!known || known.completed || known.token !== token) return false;
        events.drop(key);
        return true;
      });
    },

    async forget(key) {
      return write((at) => {
        const known = events.find(key, at);
        if (known) events.drop(key);
        return known !== undefined;
      });
    },

    completeIn(context) {
      if (!insideTransaction(database))
        throw invalid("completeIn must be called inside a transaction on the store's connection");
      const claim = claimBehind(context, store);
      const { key, token, retentionMs } = claim;
      claim.handOver();
      const at = now();
      const known = events.find(key, at);
      // A completion by this very token too: its transaction was committed before, and this one would do the work again.
      if (known && (known.completed || known.token !== token)) throw claimLost();
      events.put(key, { token, completed: true, endsAt: at + retentionMs });
      claim.completionWritten();
    },

    async transaction(context, work) {
      claimBehind(context, store);
      const outcome = await turns.take("holder", () => completing(context, work));
      if ("error" in outcome) throw outcome.error;
      return outcome.result;
    },

    async purge({ batch = DEFAULT_BATCH } = {}) {
      requireWhole("batch", batch, 1);
      let purged = 0;
      for (let last = batch; last === batch; purged += last) {
        if (purged > 0) await othersFirst();
        last = await write((at) => events.sweep(at, batch));
      }
      return purged;
    },
  };
  return store;
}

/** An asynchronous function goes on after the transaction has ended. */
function refuseAsynchronous<Result>(result: Result): Result {
  if (!isPromise(result)) return result;
  ignoreRejection(result);
  throw invalid("the work of transaction must be synchronous; it gave a promise");
}

function othersFirst(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function requireTableName(table: string): void {
  if (typeof table === "string" && /^(?!sqlite_)[a-z_][a-z0-9_]{0,62}$/i.test(table)) return;
  throw invalid("table must be 1 to 63 letters, digits or underscores, not beginning with a digit or sqlite_");
}

function requireWhole(name: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(`${name} must be a whole number from ${least} to ${most}`);
}

function refuseUnknown(options: SqliteStoreOptions): void {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw invalid(`${unknown} is no option; there are ${OPTIONS.join(", ")}`);
}

/** An asynchronous driver gives promises for rows: every claim would fail. */
function requireSynchronous(database: SqliteDatabase): void {
  if (typeof database?.exec === "function" && typeof database.prepare === "function" && givesRows(database)) return;
  throw invalid(
    "database must be a libsql, better-sqlite3, node:sqlite or bun:sqlite database, of the synchronous kind",
  );
}

function givesRows(database: SqliteDatabase): boolean {
  try {
    const statement = database.prepare("SELECT 1 AS one");
    return typeof statement.all === "function" && Array.isArray(statement.all());
  } catch {
    // Locked or broken at this moment, perhaps: that is for the verbs to tell, and to get over.
    return true;
  }
}

function invalid(what: string): WebhookError {
  return new WebhookError("configuration_invalid", `sqliteStore: ${what}`);
}

function transactionInTheWay(): WebhookError {
  const message =
    "The SQLite connection is inside a transaction, whose rollback would take the store's answers back. " +
    "Give the store a connection of its own, or leave no transaction open across an await.";
  return new WebhookError("store_unavailable", message);
}

function claimLost(): WebhookError {
  return new WebhookError(
    "claim_lost",
    "The event is held or completed by another attempt: this transaction must not count",
  );
}
