import type { InboxStats } from "../inbox.ts";
import type { InboxMessage } from "../message.ts";
import { OrderingLine } from "./line.ts";
import type { State } from "./schema.ts";
import type { Statements } from "./statements.ts";

/** The table of events as `add` and `stats` use it. The caller opens the transactions. */
export class AcceptedEvents {
  readonly #sql: Statements;
  readonly #line: OrderingLine;

  constructor(sql: Statements) {
    this.#sql = sql;
    this.#line = new OrderingLine(sql);
  }

  /** Whether an event is in the inbox and not done. */
  has(key: string): boolean {
    return this.#sql.all("SELECT 1 FROM {table} WHERE key = ? AND state <> 'done'", key).length > 0;
  }

  /** How many events wait to be taken, now or later. */
  countWaiting(): number {
    const [row] = this.#sql.all(
      "SELECT sum(value) AS count FROM {table}_meta WHERE name IN ('waiting', 'blocked', 'crashed', 'delayed')",
    );
    return Number(row?.count);
  }

  /** Adds an event at the end, in place of one that is done. */
  add(message: InboxMessage, json: string, at: number): void {
    const { key, id, type, orderingKey = null } = message;
    this.#sql.run("DELETE FROM {table} WHERE key = ? AND state = 'done'", key);
    const state: State = orderingKey !== null && this.#line.isTaken(orderingKey) ? "blocked" : "waiting";
    this.#sql.run(
      `INSERT INTO {table} (key, id, type, ordering_key, state, attempts, accepted_at, message)
       VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
      key,
      id,
      type,
      orderingKey,
      state,
      at,
      json,
    );
  }

  /** How many events there are in each state. */
  stats(at: number): InboxStats {
    const rows = this.#sql.all("SELECT name, value FROM {table}_meta");
    const counts = Object.fromEntries(rows.map(({ name, value }) => [name, Number(value)])) as Record<State, number>;
    const ages = (["waiting", "blocked", "crashed"] as const).map((state) => at - this.#oldestOf(state, at));
    return {
      waiting: counts.waiting + counts.blocked + counts.crashed,
      delayed: counts.delayed,
      active: counts.active,
      parked: counts.parked,
      oldestWaitingMs: Math.max(0, ...ages),
    };
  }

  /** When the first event of a state was accepted; `at` if there is none. */
  #oldestOf(state: State, at: number): number {
    const [row] = this.#sql.all("SELECT accepted_at FROM {table} WHERE state = ? ORDER BY seq LIMIT 1", state);
    return Number(row?.accepted_at ?? at);
  }
}
