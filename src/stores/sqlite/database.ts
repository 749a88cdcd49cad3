import { isError } from "../../errors.ts";

/** What the store needs of a SQLite driver: the common part of libsql, better-sqlite3, `node:sqlite` and `bun:sqlite`. */
export interface SqliteDatabase {
  /** Runs SQL text for its effect. */
  exec(sql: string): unknown;
  /** Prepares one statement, which is run many times. */
  prepare(sql: string): SqliteStatement;
  /** Whether a transaction is open, in libsql, better-sqlite3 and `bun:sqlite`. */
  readonly inTransaction?: boolean;
  /** Whether a transaction is open, in `node:sqlite` from Node 22.16 and 24 on. */
  readonly isTransaction?: boolean;
  /** False once closed, in libsql and better-sqlite3. In `node:sqlite` a method. */
  readonly open?: unknown;
}

/** A prepared statement: synchronous, its values bound by position. */
export interface SqliteStatement {
  // The values are texts, numbers and null. With these types, TypeScript 5 would not take the statements of libsql and better-sqlite3.
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

/**
 * Whether the connection is inside a transaction.
 *
 * @throws Error if the connection is closed
 */
export function insideTransaction(database: SqliteDatabase): boolean {
  // Reading `inTransaction` of a closed libsql database crashes the process.
  if (database.open === false) throw new Error("The SQLite database is closed");
  const inside = database.inTransaction ?? database.isTransaction;
  return typeof inside === "boolean" ? inside : !canBegin(database);
}

/** For drivers without such a property. A plain BEGIN takes no lock, and fails inside a transaction. */
function canBegin(database: SqliteDatabase): boolean {
  try {
    database.exec("BEGIN");
  } catch (error) {
    if (says(error, "within a transaction")) return false;
    throw error;
  }
  database.exec("ROLLBACK");
  return true;
}

/**
 * Does some work in a transaction of its own. A single statement with RETURNING is not enough: drivers that stop at its first row
 * do not report that its commit failed (a full disk). An explicit COMMIT does.
 *
 * It takes the write lock at once, so that what is read cannot change before the write.
 */
export function transact<Result>(database: SqliteDatabase, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // After some errors, such as a full disk, SQLite has rolled back by itself.
  }
}

/**
 * Does some work with a `busy_timeout` of 0: SQLite fails at once while another connection holds the lock. Otherwise it would block
 * the event loop for that long (5 s in better-sqlite3). The connection's own setting is restored afterwards.
 */
export function withoutBlocking<Result>(database: SqliteDatabase, work: () => Result): Result {
  const [setting] = database.prepare("PRAGMA busy_timeout").all() as { timeout: number | bigint }[];
  const own = Number(setting?.timeout ?? 0);
  if (own === 0) return work();
  database.exec("PRAGMA busy_timeout = 0");
  try {
    return work();
  } finally {
    database.exec(`PRAGMA busy_timeout = ${own}`);
  }
}

/** Whether an error is SQLITE_BUSY. Each driver has its own code for it; the text comes from SQLite. */
export function isBusy(error: unknown): boolean {
  return says(error, "database is locked");
}

function says(error: unknown, words: string): boolean {
  return isError(error) && error.message.includes(words);
}
