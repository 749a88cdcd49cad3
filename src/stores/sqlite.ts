/**
 * The dedupe store in SQLite, shared by all processes of one machine, with exactly once in your own transaction.
 *
 * @example
 * import Database from "better-sqlite3";
 * import { createReceiver } from "bluum-webhooks";
 * import { sqliteStore } from "bluum-webhooks/stores/sqlite";
 *
 * const store = sqliteStore(new Database("webhooks.db"));
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", store });
 *
 * @module bluum-webhooks/stores/sqlite
 */

import { ignoreRejection, isPromise, sleep } from "../async.ts";
import { SqliteAccess, unlessBusy } from "./sqlite/access.ts";
import { insideTransaction, type SqliteDatabase, type SqliteStatement } from "./sqlite/database.ts";
import { SqliteEvents } from "./sqlite/events.ts";
import { GroupCommit } from "./sqlite/group-commit.ts";
import { checks, requireSynchronous, type SqliteStoreOptions, settingsOf } from "./sqlite/options.ts";
import type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./store.ts";
import { claimBehind, claimLost, type HeldClaim } from "./transaction.ts";

export type { SqliteDatabase, SqliteStatement, SqliteStoreOptions };

/** A {@link DedupeStore} in a SQLite file. */
export interface SqliteStore extends DedupeStore {
  forget(key: string): Promise<boolean>;
  /**
   * Completes the event inside the transaction that is open on the store's connection: your rows and the completion are committed
   * together, or neither is. Synchronous, as the drivers' transactions are. Call it first in the transaction, so that a lost claim
   * is noticed before the work. If it throws, roll the transaction back.
   *
   * @param context the context that the handler was given
   * @throws WebhookError `claim_lost` if another process holds or has completed the event
   * @throws WebhookError `configuration_invalid` outside a transaction, or for a context of another store's receiver
   * @throws the driver's own error, as it is
   */
  completeIn(context: object): void;
  /**
   * Runs `work` in a transaction that also completes the event, on the store's connection: BEGIN IMMEDIATE, the completion,
   * `work`, COMMIT. If any of it throws, all of it is rolled back. If another process holds the event, `work` does not run.
   * While another connection holds the lock, it waits for up to `timeoutMs` without blocking the event loop. Verbs of the store
   * that `work` calls run after the transaction, except `claim`, which rejects.
   *
   * @param context the context that the handler was given
   * @param work synchronous; writes its rows on the connection that the store was given. With `wal: false` it may run again, if COMMIT
   *   failed because another connection held a lock
   * @returns what `work` returned, once it is committed
   * @throws what `work` threw; WebhookError `claim_lost` if another process holds or has completed the event;
   *   `configuration_invalid` for a context of another store's receiver, and if `work` returns a promise; `store_unavailable` if
   *   the database stays locked, or is inside a transaction; else the driver's own error
   * @example
   * const insert = database.prepare("INSERT INTO ledger (deposit, amount) VALUES (?, ?)");
   * receiver.on("transfer.deposit.completed", ({ data }, context) =>
   *   store.transaction(context, () => insert.run(data.id, data.amount)),
   * );
   */
  transaction<Result>(context: object, work: () => Result): Promise<Result>;
  /**
   * Deletes all expired records, in short transactions with pauses in between. It is seldom needed: each claim deletes a few.
   *
   * @param options.batch the most records that one transaction deletes; default 500
   * @returns how many records were deleted
   * @throws WebhookError `configuration_invalid` if `batch` is not a whole number from 1 up
   */
  purge(options?: { readonly batch?: number }): Promise<number>;
}

const DEFAULT_BATCH = 500;
/** Expired records that each claim deletes. More than the one that it adds, so that a backlog shrinks. */
const SWEPT_PER_CLAIM = 4;

/**
 * A store in a SQLite file: it survives restarts, and all processes of one machine that open the file share it. It creates its
 * table on first use and never closes the database. While the database is locked, full, read-only or closed, the verbs reject.
 *
 * Give it a connection on which no transaction stays open. Inside one, every verb but `completeIn` rejects, since a rollback
 * would undo what was already answered.
 *
 * @param database a libsql, better-sqlite3, `node:sqlite` or `bun:sqlite` database
 * @throws WebhookError `configuration_invalid`, naming the option
 * @example
 * import Database from "libsql";
 * const store = sqliteStore(new Database("webhooks.db"));
 * const receiver = createReceiver({ secret, store, namespace: "billing" });
 */
export function sqliteStore(database: SqliteDatabase, options: SqliteStoreOptions = {}): SqliteStore {
  const settings = settingsOf(options);
  requireSynchronous(checks, database);
  const records = new SqliteRecords(database, settings);
  const store: SqliteStore = {
    claim: async (key, by) => records.claim(key, by),
    renew: async (key, by) => records.renew(key, by),
    complete: async (key, by) => records.complete(key, by),
    release: async (key, { token }) => records.release(key, token),
    forget: async (key) => records.forget(key),
    completeIn(context) {
      records.completeIn(claimBehind(context, store));
    },
    transaction: async (context, work) => records.transaction(claimBehind(context, store), work),
    purge: async ({ batch = DEFAULT_BATCH } = {}) => records.purge(checks.integer("batch", batch, 1)),
  };
  return store;
}

/** The work of a verb, under the write lock. @param at now */
type Work<Result> = (at: number) => Result;

/** The claims and completions in one table. */
class SqliteRecords {
  readonly #database: SqliteDatabase;
  readonly #settings: Required<SqliteStoreOptions>;
  readonly #events: SqliteEvents;
  readonly #access: SqliteAccess;
  /** The verbs of one turn of the event loop: each kind of them is one commit. */
  readonly #commits: Readonly<Record<"holder" | "other", GroupCommit<Work<unknown>, unknown>>>;

  constructor(database: SqliteDatabase, settings: Required<SqliteStoreOptions>) {
    this.#database = database;
    this.#settings = settings;
    this.#events = new SqliteEvents(database, settings.table);
    this.#access = new SqliteAccess(database, settings.timeoutMs, {
      setUp: () => this.#events.setUp(settings.wal),
      reset: () => this.#events.reset(),
    });
    const commitAs = (who: "holder" | "other") =>
      new GroupCommit<Work<unknown>, unknown>((group) => this.#alone(who, (at) => group.map((work) => work(at))));
    this.#commits = { holder: commitAs("holder"), other: commitAs("other") };
  }

  async claim(key: string, { token, leaseMs }: ClaimBy): Promise<ClaimResult> {
    // Reads first: a duplicate needs no lock, and is answered even while another connection holds it.
    const known = unlessBusy(() => this.#access.outsideTransaction(() => this.#obstacle(key, token, this.#now())));
    if (known) return known;
    return this.#write("other", (at) => {
      this.#events.sweep(at, SWEPT_PER_CLAIM);
      const obstacle = this.#obstacle(key, token, at);
      if (obstacle) return obstacle;
      this.#events.put(key, { token, completed: false, expiresAt: at + leaseMs });
      return { status: "claimed" };
    });
  }

  renew(key: string, { token, leaseMs }: ClaimBy): Promise<boolean> {
    return this.#write("holder", (at) => {
      if (!this.#isHeld(key, token, at)) return false;
      this.#events.put(key, { token, completed: false, expiresAt: at + leaseMs });
      return true;
    });
  }

  complete(key: string, { token, retentionMs }: CompleteBy): Promise<CompleteResult> {
    return this.#write("holder", (at) => {
      const known = this.#events.find(key, at);
      if (known && known.token !== token) return known.completed ? "completed_by_another" : "held_by_another";
      if (!known?.completed) this.#events.put(key, { token, completed: true, expiresAt: at + retentionMs });
      return "stored";
    });
  }

  release(key: string, token: string): Promise<boolean> {
    return this.#write("other", (at) => {
      if (!this.#isHeld(key, token, at)) return false;
      this.#events.drop(key);
      return true;
    });
  }

  forget(key: string): Promise<boolean> {
    return this.#write("other", (at) => {
      const known = this.#events.find(key, at);
      if (known) this.#events.drop(key);
      return known !== undefined;
    });
  }

  /** Completes the event in the transaction that is open on the connection. */
  completeIn(claim: HeldClaim): void {
    if (!insideTransaction(this.#database)) {
      throw checks.invalid("completeIn", "must be called inside a transaction on the store's connection");
    }
    const { key, token, retentionMs } = claim;
    claim.handOver();
    const at = this.#now();
    const known = this.#events.find(key, at);
    // A completion by this token too: an earlier transaction was committed, and this one would do the work again.
    if (known && (known.completed || known.token !== token)) throw claimLost();
    this.#events.put(key, { token, completed: true, expiresAt: at + retentionMs });
    claim.completionWritten();
  }

  async transaction<Result>(claim: HeldClaim, work: () => Result): Promise<Result> {
    try {
      return await this.#alone("holder", () => {
        this.completeIn(claim);
        return runWork(work);
      });
    } catch (thrown) {
      throw thrown instanceof WorkFailed ? thrown.error : thrown;
    }
  }

  async purge(batch: number): Promise<number> {
    let total = 0;
    for (;;) {
      const deleted = await this.#alone("other", (at) => this.#events.sweep(at, batch));
      total += deleted;
      if (deleted < batch) return total;
      await sleep(0);
    }
  }

  /** Does the work of a verb under the write lock: what it reads cannot change before it writes. */
  #write<Result>(who: "holder" | "other", work: Work<Result>): Promise<Result> {
    return this.#commits[who].add(work) as Promise<Result>;
  }

  /** The same, in a transaction of its own. */
  #alone<Result>(who: "holder" | "other", work: Work<Result>): Promise<Result> {
    return this.#access.write(who, () => work(this.#now()));
  }

  /** The record that keeps `token` from claiming the event. */
  #obstacle(key: string, token: string, at: number): ClaimResult | undefined {
    const known = this.#events.find(key, at);
    if (known?.completed) return { status: "completed" };
    if (known && known.token !== token) return { status: "in_flight", remainingMs: known.expiresAt - at };
    return undefined;
  }

  #isHeld(key: string, token: string, at: number): boolean {
    const known = this.#events.find(key, at);
    return known?.token === token && !known.completed;
  }

  #now(): number {
    return Math.floor(this.#settings.now());
  }
}

/** An error of the caller's work. It is wrapped because its text may say "database is locked", and the work must not run again. */
class WorkFailed {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Refuses asynchronous work: it would go on after the transaction has ended. */
function runWork<Result>(work: () => Result): Result {
  try {
    const result = work();
    if (!isPromise(result)) return result;
    ignoreRejection(result);
    throw checks.invalid("transaction", "needs synchronous work; this work returned a promise");
  } catch (error) {
    throw new WorkFailed(error);
  }
}
