import { randomUUID } from "node:crypto";
import { failureOf, isParkEvent } from "../failure.ts";
import type { InboxFailure } from "../inbox.ts";
import { backoffAfter } from "../retry.ts";
import { OrderingLine } from "./line.ts";
import type { SqliteInboxSettings } from "./options.ts";
import type { Statements, StoredEvent } from "./statements.ts";

/** An event at work. Every change of it is fenced by the token of this attempt. */
export interface TakenEvent extends StoredEvent {
  readonly token: string;
}

/** An event that has just been parked. */
export interface JustParked {
  readonly event: StoredEvent;
  readonly error: InboxFailure;
}

/** How many rows one statement changes at most. */
const BATCH = 100;

/** Done events that are deleted with each one that ends. More than one, so that a backlog shrinks. */
const SWEPT_PER_RUN = 2;

/** The table of events as a worker uses it. The caller opens the transactions. Times are epoch milliseconds. */
export class Runs {
  readonly #sql: Statements;
  readonly #line: OrderingLine;
  readonly #settings: SqliteInboxSettings;

  constructor(sql: Statements, settings: SqliteInboxSettings) {
    this.#sql = sql;
    this.#line = new OrderingLine(sql);
    this.#settings = settings;
  }

  /**
   * Reads whether there is anything to take or to make ready.
   *
   * @param crashed whether an event may be taken whose worker died
   */
  look(at: number, crashed: boolean): { readonly isReady: boolean; readonly nextDue: number | undefined } {
    const [row] = this.#sql.all(
      `SELECT EXISTS (SELECT 1 FROM {table} WHERE state = 'waiting')
         OR (? AND EXISTS (SELECT 1 FROM {table} WHERE state = 'crashed'))
         OR EXISTS (SELECT 1 FROM {table} WHERE state = 'delayed' AND (due_at <= ? OR due_at > ?))
         OR EXISTS (SELECT 1 FROM {table} WHERE state = 'active' AND (due_at <= ? OR due_at > ?)) AS ready`,
      crashed ? 1 : 0,
      at,
      at + this.#settings.retry.maxBackoffMs,
      at,
      at + this.#settings.lockMs,
    );
    return { isReady: Number(row?.ready) === 1, nextDue: this.nextDue() };
  }

  /** When the next retry is due, or the next lock expires. */
  nextDue(): number | undefined {
    const [row] = this.#sql.all(
      `SELECT min(due_at) AS due_at FROM (
         SELECT min(due_at) AS due_at FROM {table} WHERE state = 'delayed' AND due_at IS NOT NULL UNION ALL
         SELECT min(due_at) AS due_at FROM {table} WHERE state = 'active' AND due_at IS NOT NULL)`,
    );
    return typeof row?.due_at === "object" || row === undefined ? undefined : Number(row.due_at);
  }

  /**
   * Takes the next events in order of acceptance. Of those whose worker died it takes one at most: it may have been the cause, and the
   * others would pay for that with an attempt.
   */
  take(atMost: number, crashed: boolean, at: number): TakenEvent[] {
    // SQLite takes a negative LIMIT for no limit.
    if (atMost <= 0) return [];
    this.#wakeDelayed(at, atMost);
    const suspects = crashed ? this.#sql.events("state = 'crashed' ORDER BY seq LIMIT 1") : [];
    const others = this.#sql.events("state = 'waiting' ORDER BY seq LIMIT ?", atMost - suspects.length);
    return [...suspects, ...others].map((event) => this.#lock(event, at));
  }

  #wakeDelayed(at: number, atMost: number): void {
    this.#sql.run(
      `UPDATE {table} SET state = 'waiting', due_at = NULL WHERE seq IN
       (SELECT seq FROM {table} WHERE state = 'delayed' AND due_at <= ? ORDER BY due_at LIMIT ?)`,
      at,
      atMost,
    );
  }

  #lock(event: StoredEvent, at: number): TakenEvent {
    const token = randomUUID();
    this.#sql.run(
      "UPDATE {table} SET state = 'active', attempts = attempts + 1, lock_token = ?, due_at = ? WHERE seq = ?",
      token,
      at + this.#settings.lockMs,
      event.seq,
    );
    return { ...event, attempts: event.attempts + 1, token };
  }

  /** Renews the lock of an event, if it is not lost. */
  renew(event: TakenEvent, at: number): void {
    this.#change(event, "due_at = ?", at + this.#settings.lockMs);
  }

  /** Takes the events from workers that died or lost their locks. Returns those that are parked, since it was their last attempt. */
  reclaim(at: number): JustParked[] {
    this.#bound("active", at + this.#settings.lockMs);
    this.#bound("delayed", at + this.#settings.retry.maxBackoffMs);
    const expired = this.#sql.events(`state = 'active' AND due_at <= ? ORDER BY due_at LIMIT ${BATCH}`, at);
    return expired.flatMap((event) => {
      if (event.attempts >= this.#settings.retry.attempts) {
        const error = { message: `the worker died or lost its lock in attempt ${event.attempts}` };
        this.#park(event, error, at);
        return [{ event, error }];
      }
      this.#sql.run("UPDATE {table} SET state = 'crashed', due_at = NULL, lock_token = NULL WHERE seq = ?", event.seq);
      return [];
    });
  }

  /** After a step back of the clock: shortens the locks and pauses that would last longer than they ever should. */
  #bound(state: "active" | "delayed", latest: number): void {
    this.#sql.run(
      `UPDATE {table} SET due_at = ? WHERE seq IN
       (SELECT seq FROM {table} WHERE state = ? AND due_at > ? LIMIT ${BATCH})`,
      latest,
      state,
      latest,
    );
  }

  /** Ends an event as processed, unless its lock is lost. The message is deleted. */
  finish(event: TakenEvent, at: number): void {
    const set = "state = 'done', due_at = ?, lock_token = NULL, error = NULL, message = NULL";
    if (this.#change(event, set, at + this.#settings.keepDoneMs)) this.#line.advance(event);
    this.#sweep(at);
  }

  /** Lets an event that failed wait for its next attempt, or parks it. Nothing if its lock is lost. */
  fail(event: TakenEvent, thrown: unknown, at: number): JustParked | undefined {
    const { retry } = this.#settings;
    const error = failureOf(thrown);
    if (isParkEvent(thrown) || event.attempts >= retry.attempts) {
      if (!this.#holds(event)) return undefined;
      this.#park(event, error, at);
      return { event, error };
    }
    const dueAt = at + backoffAfter(event.attempts, retry);
    this.#change(event, "state = 'delayed', due_at = ?, lock_token = NULL, error = ?", dueAt, JSON.stringify(error));
    return undefined;
  }

  /** Gives an event back as if it had not been taken, unless its lock is lost. */
  giveBack(event: TakenEvent): void {
    this.#change(event, "state = ?, due_at = NULL, lock_token = NULL, attempts = attempts - 1", stateBefore(event));
  }

  #park(event: StoredEvent, error: InboxFailure, at: number): void {
    this.#sql.run(
      "UPDATE {table} SET state = 'parked', due_at = ?, lock_token = NULL, error = ? WHERE seq = ?",
      at,
      JSON.stringify(error),
      event.seq,
    );
    this.#line.advance(event);
  }

  #sweep(at: number): void {
    this.#sql.run(
      `DELETE FROM {table} WHERE seq IN
       (SELECT seq FROM {table} WHERE state = 'done' AND due_at <= ? ORDER BY due_at LIMIT ${SWEPT_PER_RUN})`,
      at,
    );
  }

  #holds({ seq, token }: TakenEvent): boolean {
    const sql = "SELECT 1 FROM {table} WHERE seq = ? AND state = 'active' AND lock_token = ?";
    return this.#sql.all(sql, seq, token).length > 0;
  }

  /** @returns false where the lock is lost */
  #change({ seq, token }: TakenEvent, set: string, ...values: (string | number)[]): boolean {
    const sql = `UPDATE {table} SET ${set} WHERE seq = ? AND state = 'active' AND lock_token = ?`;
    return this.#sql.run(sql, ...values, seq, token) > 0;
  }
}

/** An event that was taken after a crash stays one. */
function stateBefore({ state }: TakenEvent): "crashed" | "waiting" {
  return state === "crashed" ? "crashed" : "waiting";
}
