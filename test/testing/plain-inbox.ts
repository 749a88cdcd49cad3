import { failureOf, isParkEvent } from "../../src/inbox/failure.ts";
import type {
  AddOptions,
  Inbox,
  InboxFailure,
  InboxStats,
  InboxWorker,
  ParkedEvent,
  ParkedPage,
  ParkedQuery,
  ParkedSelection,
  ProcessMessage,
  WorkOptions,
} from "../../src/inbox/inbox.ts";
import { type InboxMessage, messageIn } from "../../src/inbox/message.ts";
import { backoffAfter, type RetryOptions } from "../../src/inbox/retry.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { LEASE_MS, type PlainBackend, type Row } from "./plain-row.ts";
import { PlainWorker } from "./plain-worker.ts";

/** An inbox in memory without frills. Each step is a method, which a broken inbox can override. */
export class PlainInbox implements Inbox {
  readonly name: string = "plain";
  readonly store = memoryStore();
  readonly noOrder?: string;
  away = false;
  readonly backend: PlainBackend;
  readonly retry: Required<RetryOptions>;

  constructor(backend: PlainBackend, retry: Required<RetryOptions>) {
    this.backend = backend;
    this.retry = retry;
  }

  async add(message: InboxMessage, _options: AddOptions): Promise<"added" | "duplicate"> {
    this.reach();
    if (this.backend.remembered.has(message.key)) return "duplicate";
    this.backend.remembered.add(message.key);
    this.insert(message);
    return "added";
  }

  work(process: ProcessMessage, options: WorkOptions): InboxWorker {
    return new PlainWorker(this, process, options);
  }

  async stats(): Promise<InboxStats> {
    const rows = this.rows();
    const now = performance.now();
    const waiting = rows.filter(({ state, dueAt }) => state === "waiting" && dueAt <= now);
    return {
      waiting: waiting.length,
      delayed: rows.filter(({ state, dueAt }) => state === "waiting" && dueAt > now).length,
      active: rows.filter(({ state }) => state === "active").length,
      parked: rows.filter(({ state }) => state === "parked").length,
      oldestWaitingMs: waiting.length === 0 ? 0 : now - Math.min(...waiting.map(({ waitingSince }) => waitingSince)),
    };
  }

  async parked({ type, keys, limit = 100, cursor }: ParkedQuery = {}): Promise<ParkedPage> {
    const rows = this.parkedRows()
      .filter((row) => (type === undefined || row.type === type) && (keys === undefined || keys.includes(row.key)))
      .filter((row) => cursor === undefined || row.parkedAt > Number(cursor));
    const page = rows.slice(0, limit);
    const events = page.map((row) => this.event(row));
    return page.length === rows.length ? { events } : { events, cursor: String(page.at(-1)?.parkedAt) };
  }

  async redrive(selection: ParkedSelection): Promise<number> {
    const rows = this.selected(selection);
    for (const row of rows) this.revive(row);
    return rows.length;
  }

  async discard(selection: ParkedSelection): Promise<number> {
    const rows = this.selected(selection);
    for (const { key } of rows) this.backend.rows.delete(key);
    return rows.length;
  }

  /** Fails while the backend is away. */
  reach(): void {
    if (this.away) throw new Error("the backend is away");
  }

  rows(): Row[] {
    this.reach();
    return [...this.backend.rows.values()];
  }

  insert(message: InboxMessage): void {
    const { key, id, type, orderingKey } = message;
    this.backend.places += 1;
    const now = performance.now();
    this.backend.rows.set(key, {
      ...{ key, id, type, orderingKey, json: JSON.stringify(message), place: this.backend.places, state: "waiting" },
      ...{ waitingSince: now, dueAt: now, started: 0, token: undefined, leasedUntil: 0, error: { message: "" } },
      parkedAt: 0,
    });
  }

  /** The next message to run, if there is one: it belongs to the token for the time of a lease. */
  take(token: string): Row | undefined {
    this.takeBack();
    const now = performance.now();
    const rows = this.rows();
    const row = rows.find((each) => each.state === "waiting" && each.dueAt <= now && !this.mustWait(each, rows));
    if (row === undefined) return undefined;
    Object.assign(row, { state: "active", token, started: row.started + 1, leasedUntil: now + LEASE_MS });
    return row;
  }

  /** Whether an earlier message of its ordering key is not done. */
  mustWait(row: Row, rows: readonly Row[]): boolean {
    if (row.orderingKey === undefined) return false;
    return rows.some(
      (each) => each.orderingKey === row.orderingKey && each.state !== "parked" && each.place < row.place,
    );
  }

  /** Takes the messages of dead workers back. */
  takeBack(): void {
    const now = performance.now();
    for (const row of this.rows().filter(({ state, leasedUntil }) => state === "active" && leasedUntil <= now)) {
      if (row.started >= this.retry.attempts) this.park(row, { message: "the worker died" });
      else this.wait(row, 0);
    }
  }

  renew(row: Row, token: string): void {
    this.reach();
    if (row.token === token) row.leasedUntil = performance.now() + LEASE_MS;
  }

  /** Records a run that succeeded. */
  succeed(row: Row, token: string): void {
    this.reach();
    if (this.owns(row, token)) this.backend.rows.delete(row.key);
  }

  /** Records a run that failed. Returns whether that parked the message. */
  fail(row: Row, token: string, thrown: unknown): boolean {
    this.reach();
    if (!this.owns(row, token)) return false;
    if (this.isLast(row, thrown)) {
      this.park(row, this.failure(thrown));
      return true;
    }
    this.wait(row, this.pauseAfter(row.started));
    return false;
  }

  giveBack(row: Row, token: string): void {
    if (!this.owns(row, token)) return;
    row.started -= 1;
    this.wait(row, 0);
  }

  owns(row: Row, token: string): boolean {
    return row.token === token;
  }

  isLast(row: Row, thrown: unknown): boolean {
    return isParkEvent(thrown) || row.started >= this.retry.attempts;
  }

  failure(thrown: unknown): InboxFailure {
    return failureOf(thrown);
  }

  pauseAfter(failed: number): number {
    return backoffAfter(failed, this.retry);
  }

  wait(row: Row, pauseMs: number): void {
    const now = performance.now();
    Object.assign(row, { state: "waiting", token: undefined, waitingSince: now, dueAt: now + pauseMs });
  }

  park(row: Row, error: InboxFailure): void {
    // Distinct and growing, so that it can be a cursor.
    const parkedAt = Math.max(Date.now(), ...this.parkedRows().map((each) => each.parkedAt + 0.001));
    Object.assign(row, { state: "parked", token: undefined, error, parkedAt });
  }

  revive(row: Row): void {
    row.started = 0;
    this.wait(row, 0);
  }

  parkedRows(): Row[] {
    return this.rows()
      .filter(({ state }) => state === "parked")
      .sort((one, other) => one.parkedAt - other.parkedAt);
  }

  selected(selection: ParkedSelection): Row[] {
    const rows = this.parkedRows();
    if ("keys" in selection) return rows.filter(({ key }) => selection.keys.includes(key));
    return "type" in selection ? rows.filter(({ type }) => type === selection.type) : rows;
  }

  event({ key, id, type, started, error, parkedAt, json }: Row): ParkedEvent {
    return {
      key,
      id,
      type,
      attempts: started,
      error,
      parkedAt: new Date(parkedAt),
      message: messageIn(() => JSON.parse(json)),
    };
  }
}
