import { WebhookError } from "../../errors.ts";
import { insideTransaction, isBusy, type SqliteDatabase, transact, withoutBlocking } from "./database.ts";
import { SqliteTurns } from "./turns.ts";

/** The tables that some work needs. */
export interface SqliteTables {
  /** Creates them where they are missing. Called before the first work, and again after an error. */
  setUp(): void;
  /** After an error: prepares statements again. */
  reset(): void;
}

/** Access to some tables on a connection: outside any transaction of the caller, without blocking the event loop. */
export class SqliteAccess {
  readonly #turns: SqliteTurns;
  readonly #database: SqliteDatabase;
  readonly #tables: SqliteTables;
  #isSetUp = false;

  /** @param timeoutMs how long work may wait for the write lock, in milliseconds */
  constructor(database: SqliteDatabase, timeoutMs: number, tables: SqliteTables) {
    this.#turns = new SqliteTurns(timeoutMs);
    this.#database = database;
    this.#tables = tables;
  }

  /**
   * Does some work under the write lock, in a transaction: what it reads cannot change before it writes.
   *
   * @param who `"holder"` goes before `"other"`
   * @throws WebhookError `store_unavailable` while the database stays locked, or is inside a transaction; else what the work threw
   */
  write<Result>(who: "holder" | "other", work: () => Result): Promise<Result> {
    return this.#turns.take(who, () => this.outsideTransaction(() => transact(this.#database, work)));
  }

  /** Reads. It waits only if the tables have to be created, or in the rare cases in which readers are locked out. */
  async read<Result>(work: () => Result): Promise<Result> {
    const run = () => ({ result: this.outsideTransaction(work) });
    const { result } = unlessBusy(run) ?? (await this.#turns.take("other", run));
    return result;
  }

  /**
   * Does some work at once.
   *
   * @throws Error SQLITE_BUSY while the database is locked
   */
  outsideTransaction<Result>(work: () => Result): Result {
    if (insideTransaction(this.#database)) throw inTransaction();
    return withoutBlocking(this.#database, () => {
      try {
        if (!this.#isSetUp) this.#tables.setUp();
        this.#isSetUp = true;
        return work();
      } catch (error) {
        if (!isBusy(error)) this.#reset();
        throw error;
      }
    });
  }

  #reset(): void {
    this.#isSetUp = false;
    this.#tables.reset();
  }
}

function inTransaction(): WebhookError {
  return new WebhookError(
    "store_unavailable",
    "The SQLite connection is inside a transaction, whose rollback would undo what the store answers. " +
      "Give the store a connection of its own, or leave no transaction open across an await.",
  );
}

/** What the work returned, or undefined while the database is locked. */
export function unlessBusy<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}
