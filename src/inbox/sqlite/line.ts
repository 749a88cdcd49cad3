import type { Statements, StoredEvent } from "./statements.ts";

/** The unfinished events of each ordering key: one may be worked on (the head), the others are blocked behind it. */
export class OrderingLine {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Whether an event of the key is unfinished. */
  isTaken(orderingKey: string): boolean {
    const states = "'waiting', 'blocked', 'crashed', 'delayed', 'active'";
    const sql = `SELECT 1 FROM {table} WHERE ordering_key = ? AND state IN (${states}) LIMIT 1`;
    return this.#sql.all(sql, orderingKey).length > 0;
  }

  /**
   * Makes room for the event at the head of its line, unless an earlier or a started event is there. A later one that waits
   * becomes blocked.
   *
   * @returns whether it is the head
   */
  tryToLead({ seq }: StoredEvent): boolean {
    this.#sql.run(
      `UPDATE {table} SET state = 'blocked' WHERE ordering_key = ${KEY_OF} AND state = 'waiting' AND seq > ?`,
      seq,
      seq,
    );
    const head = `SELECT 1 FROM {table} WHERE ordering_key = ${KEY_OF} AND state IN ('waiting', 'crashed', 'delayed', 'active')`;
    return this.#sql.all(`${head} LIMIT 1`, seq).length === 0;
  }

  /** After an event has left its line: the next one becomes the head. */
  advance({ seq }: StoredEvent): void {
    this.#sql.run(
      `UPDATE {table} SET state = 'waiting' WHERE seq =
       (SELECT seq FROM {table} WHERE ordering_key = ${KEY_OF} AND state = 'blocked' ORDER BY seq LIMIT 1)`,
      seq,
    );
  }
}

/** The key of an event's line. It is never read into the process: libsql cuts texts at U+0000. */
const KEY_OF = "(SELECT ordering_key FROM {table} WHERE seq = ?)";
