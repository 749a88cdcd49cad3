import type { Statements, StoredEvent } from "./statements.ts";

/** The unfinished events of each ordering key: one may be worked on (the head), the others are blocked behind it. */
export class OrderingLine {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Whether an event of the key is unfinished. */
  isTaken(orderingKey: string): boolean {
    return this.#isAny(orderingKey, "'waiting', 'blocked', 'crashed', 'delayed', 'active'");
  }

  /** Whether an event may come in as the head of its line. One that was accepted later and has not been started gives way. */
  yieldsTo(orderingKey: string, seq: number): boolean {
    this.#sql.run(
      "UPDATE {table} SET state = 'blocked' WHERE ordering_key = ? AND state = 'waiting' AND seq > ?",
      orderingKey,
      seq,
    );
    return !this.#isAny(orderingKey, "'waiting', 'crashed', 'delayed', 'active'");
  }

  /** After an event has left its line: the next one becomes the head. */
  advance({ orderingKey }: StoredEvent): void {
    if (orderingKey === null) return;
    this.#sql.run(
      `UPDATE {table} SET state = 'waiting' WHERE seq =
       (SELECT seq FROM {table} WHERE ordering_key = ? AND state = 'blocked' ORDER BY seq LIMIT 1)`,
      orderingKey,
    );
  }

  #isAny(orderingKey: string, states: string): boolean {
    const sql = `SELECT 1 FROM {table} WHERE ordering_key = ? AND state IN (${states}) LIMIT 1`;
    return this.#sql.all(sql, orderingKey).length > 0;
  }
}
