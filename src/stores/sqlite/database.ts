import { isError } from "../../errors.ts";

/**
 * What the store asks of a SQLite driver: the part that libsql, better-sqlite3, `node:sqlite` and `bun:sqlite` have in common. Rows may
 * hold numbers or bigints, and a driver's own extras.
 */
export interface SqliteDatabase {
  /** Runs SQL text for its effect. */
  exec(sql: string): unknown;
  /** Prepares one statement, to be run many times. */
  prepare(sql: string): SqliteStatement;
  /** Whether a transaction is open, as libsql, better-sqlite3 and `bun:sqlite` tell it. */
  readonly inTransaction?: boolean;
  /** Whether a transaction is open, as `node:sqlite` tells it from Node 22.16 and 24 on. */
  readonly isTransaction?: boolean;
  /** False once closed, in libsql and better-sqlite3. In `node:sqlite` a method. */
  readonly open?: unknown;
}

/** A prepared statement: synchronous, its values bound by position. */
export interface SqliteStatement {
  run(...values: (string | number)[]): unknown;
  all(...values: (string | number)[]): unknown[];
}

/**
 * Whether the connection is inside a transaction.
 *
 * @throws Error where the connection is closed
 */
export function insideTransaction(database: SqliteDatabase): boolean {
  // To ask a closed libsql database for its transaction ends the whole process.
  if (database.open === false) throw new Error("The SQLite database is closed");
  const told = database.inTransaction ?? database.isTransaction;
  return typeof told === "boolean" ? told : !canBegin(database);
}

/** For drivers that do not tell. A plain BEGIN takes no lock, and there is no transaction within a transaction. */
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
 * Does some work in a transaction of its own. Not in single statements: drivers that stop at the first row of a RETURNING keep
 * quiet when the commit behind it fails (a full disk), whereas COMMIT tells.
 *
 * @param mode IMMEDIATE takes the write lock at once, so that what is read cannot change before the write
 */
export function transact<Result>(database: SqliteDatabase, mode: "DEFERRED" | "IMMEDIATE", work: () => Result): Result {
  database.exec(`BEGIN ${mode}`);
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
    // After some errors, a full disk among them, SQLite has rolled back by itself.
  }
}

/**
 * Does some work during which SQLite fails at once where another connection holds the lock, instead of blocking this thread's event loop
 * for as long as the connection's `busy_timeout` says (5 s in better-sqlite3). The connection keeps its own setting.
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

/** Whether an error is SQLite's SQLITE_BUSY. Each driver has a code of its own for it; the text is the engine's. */
export function isBusy(error: unknown): boolean {
  return says(error, "database is locked");
}

function says(error: unknown, words: string): boolean {
  return isError(error) && error.message.includes(words);
}
