import { type SqliteDatabase, type SqliteStatement, transact } from "./database.ts";

/** What the table holds of one event: a claim, or a completion. */
export interface SqliteRecord {
  /** The token that claimed the event, or completed it. */
  readonly token: string;
  readonly completed: boolean;
  /** When the lease or the retention expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

type Statements = Readonly<Record<"find" | "put" | "drop" | "sweep" | "changes", SqliteStatement>>;

/** The table of events: its layout, and its rows by key. The methods open no transaction; the caller does. */
export class SqliteEvents {
  readonly #database: SqliteDatabase;
  readonly #table: string;
  #statements: Statements | undefined;

  /** @param table a name that needs no escaping between quotes */
  constructor(database: SqliteDatabase, table: string) {
    this.#database = database;
    this.#table = table;
  }

  /**
   * Creates the table if it is missing. If many processes start at once, all but one get SQLITE_BUSY and may try again.
   *
   * @param wal whether to switch the file to write-ahead logging
   */
  setUp(wal: boolean): void {
    if (wal) this.#database.exec("PRAGMA journal_mode = WAL");
    transact(this.#database, () => this.#database.exec(tableSql(this.#table)));
  }

  /** After an error: the next verb prepares its statements again. */
  reset(): void {
    this.#statements = undefined;
  }

  /** The record of a key, unless it has expired at `at`. */
  find(key: string, at: number): SqliteRecord | undefined {
    const [row] = this.#sql.find.all(key) as { token: string; completed: number | bigint; ends_at: number | bigint }[];
    // Drivers may be configured to return bigints.
    if (row === undefined || Number(row.ends_at) <= at) return undefined;
    return { token: row.token, completed: Number(row.completed) === 1, expiresAt: Number(row.ends_at) };
  }

  /** Writes the record of a key, in place of any other. */
  put(key: string, { token, completed, expiresAt }: SqliteRecord): void {
    this.#sql.put.run(key, token, completed ? 1 : 0, expiresAt);
  }

  /** Deletes the record of a key. */
  drop(key: string): void {
    this.#sql.drop.run(key);
  }

  /** Deletes up to `atMost` records that have expired at `at`; returns how many. */
  sweep(at: number, atMost: number): number {
    this.#sql.sweep.run(at, atMost);
    const [row] = this.#sql.changes.all() as { count: number | bigint }[];
    return Number(row?.count);
  }

  get #sql(): Statements {
    this.#statements ??= prepare(this.#database, this.#table);
    return this.#statements;
  }
}

/** Keys are compared byte by byte, whatever the collation of the database. `ends_at` is when the record expires. */
function tableSql(table: string): string {
  return `
    CREATE TABLE IF NOT EXISTS "${table}" (
      key TEXT COLLATE BINARY NOT NULL PRIMARY KEY,
      token TEXT NOT NULL,
      completed INTEGER NOT NULL,
      ends_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS "${table}_ends_at" ON "${table}" (ends_at);
  `;
}

function prepare(database: SqliteDatabase, table: string): Statements {
  return {
    find: database.prepare(`SELECT token, completed, ends_at FROM "${table}" WHERE key = ?`),
    put: database.prepare(
      `INSERT INTO "${table}" (key, token, completed, ends_at) VALUES (?, ?, ?, ?) ON CONFLICT (key)
       DO UPDATE SET token = excluded.token, completed = excluded.completed, ends_at = excluded.ends_at`,
    ),
    drop: database.prepare(`DELETE FROM "${table}" WHERE key = ?`),
    sweep: database.prepare(
      `DELETE FROM "${table}" WHERE key IN (SELECT key FROM "${table}" WHERE ends_at <= ? ORDER BY ends_at LIMIT ?)`,
    ),
    changes: database.prepare("SELECT changes() AS count"),
  };
}
