import type { SqliteDatabase, SqliteStatement } from "../../stores/sqlite/database.ts";
import type { State } from "./schema.ts";

/** A row of a SELECT. Numbers may be bigints: drivers can be configured to return those. */
export type Row = { readonly [column: string]: unknown };

type Value = string | number | null;

/** An event of the table. */
export interface StoredEvent {
  /** Its place in the order of acceptance. */
  readonly seq: number;
  readonly key: string;
  readonly id: string;
  readonly type: string;
  readonly state: State;
  /** How many attempts were started. */
  readonly attempts: number;
  /** See the columns in `schema.ts`. */
  readonly dueAt: number;
  /** What the last attempt failed with, as JSON. */
  readonly error: unknown;
  /** The message as JSON; whatever somebody has made of it. */
  readonly message: unknown;
}

/** Prepared statements on the tables of one inbox, by their SQL. They are few and fixed. `{table}` stands for the inbox's table. */
export class Statements {
  readonly #database: SqliteDatabase;
  readonly #table: string;
  readonly #prepared = new Map<string, SqliteStatement>();

  /** @param table a name that needs no escaping */
  constructor(database: SqliteDatabase, table: string) {
    this.#database = database;
    this.#table = table;
  }

  /** Runs a statement that changes rows; returns how many. */
  run(sql: string, ...values: Value[]): number {
    this.#of(sql).run(...values);
    const [row] = this.all("SELECT changes() AS count");
    return Number(row?.count);
  }

  /** The rows of a SELECT. */
  all(sql: string, ...values: Value[]): Row[] {
    return this.#of(sql).all(...values) as Row[];
  }

  /** The events that a WHERE clause selects. */
  events(where: string, ...values: Value[]): StoredEvent[] {
    return this.all(`SELECT * FROM {table} WHERE ${where}`, ...values).map(eventOf);
  }

  /** After an error: prepares them again. */
  forget(): void {
    this.#prepared.clear();
  }

  #of(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql.replaceAll("{table}", this.#table));
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

function eventOf(row: Row): StoredEvent {
  return {
    seq: Number(row.seq),
    key: String(row.key),
    id: String(row.id),
    type: String(row.type),
    state: row.state as State,
    attempts: Number(row.attempts),
    dueAt: Number(row.due_at),
    error: row.error,
    message: row.message,
  };
}
