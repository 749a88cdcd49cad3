/**
 * The inbox in SQLite: no server, one file.
 *
 * @example
 * import Database from "better-sqlite3";
 * import { createReceiver } from "bluum-webhooks";
 * import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
 *
 * const inbox = sqliteInbox(new Database("webhooks.db"));
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", inbox });
 * receiver.on("order.filled", async (event) => console.log(event.data.id));
 * const worker = receiver.work();
 *
 * @module bluum-webhooks/inbox/sqlite
 */

import { WebhookError } from "../errors.ts";
import { SqliteAccess, unlessBusy } from "../stores/sqlite/access.ts";
import { withoutBlocking } from "../stores/sqlite/database.ts";
import { SqliteEvents } from "../stores/sqlite/events.ts";
import { GroupCommit } from "../stores/sqlite/group-commit.ts";
import { requireSynchronous } from "../stores/sqlite/options.ts";
import { type SqliteDatabase, type SqliteStatement, type SqliteStore, sqliteStore } from "../stores/sqlite.ts";
import type { AddOptions, Inbox } from "./inbox.ts";
import type { InboxMessage } from "./message.ts";
import { AcceptedEvents } from "./sqlite/accepted.ts";
import { requireDurable } from "./sqlite/durability.ts";
import { checks, type SqliteInboxOptions, type SqliteInboxSettings, settingsOf } from "./sqlite/options.ts";
import { ParkedEvents } from "./sqlite/parked.ts";
import { Runs } from "./sqlite/runs.ts";
import { migrate } from "./sqlite/schema.ts";
import { Statements } from "./sqlite/statements.ts";
import { onWake, wakeWorkers } from "./sqlite/wake.ts";
import { SqliteWorker } from "./sqlite/worker.ts";

export type { RetryOptions } from "./retry.ts";
export type { SqliteDatabase, SqliteInboxOptions, SqliteStatement, SqliteStore };

/** An inbox in a SQLite file. */
export interface SqliteInbox extends Inbox {
  readonly store: SqliteStore;
}

/**
 * An inbox in a SQLite file: no server, and all processes of one machine that open the file share it. It creates and migrates its
 * tables on first use, next to the table of its dedupe store, and never closes the database. An event is accepted in one commit.
 *
 * It switches the file to write-ahead logging, and needs `PRAGMA synchronous = FULL` on the connection (the default of libsql and
 * `node:sqlite`; with better-sqlite3, run it first). Give it a connection on which no transaction stays open.
 *
 * @param database a libsql, better-sqlite3, `node:sqlite` or `bun:sqlite` database in a file
 * @throws WebhookError `configuration_invalid`, naming the option, or what is wrong with the database
 * @example
 * import Database from "libsql";
 * const inbox = sqliteInbox(new Database("webhooks.db"));
 * const receiver = createReceiver({ secret, inbox, namespace: "billing" });
 */
export function sqliteInbox(database: SqliteDatabase, options: SqliteInboxOptions = {}): SqliteInbox {
  const settings = settingsOf(options);
  requireSynchronous(checks, database);
  // While the database is locked, the first use does it.
  unlessBusy(() => withoutBlocking(database, () => requireDurable(database)));
  const { storeTable: table, timeoutMs, now, retry, lockMs } = settings;
  const queue = new SqliteQueue(database, settings);
  return {
    name: "sqlite",
    store: sqliteStore(database, { table, timeoutMs, now }),
    add: async (message, addOptions) => queue.add(message, addOptions),
    work(process, workOptions) {
      const { access, runs } = queue;
      const worker = new SqliteWorker(
        { access, runs, attempts: retry.attempts, lockMs, now: queue.now },
        process,
        workOptions,
      );
      const forget = onWake(database, worker.signal);
      return { close: (closeOptions) => worker.close(closeOptions).finally(forget) };
    },
    stats: async () => queue.stats(),
    parked: async (query) => queue.parked.page(query),
    async redrive(selection) {
      const redriven = await queue.parked.redrive(selection);
      wakeWorkers(database);
      return redriven;
    },
    discard: async (selection) => queue.parked.discard(selection),
  };
}

/** Records of the dedupe store that each `add` deletes if they have expired. More than the one that it writes, so that a backlog shrinks. */
const SWEPT_PER_ADD = 4;
/** The token of the inbox in the dedupe store. */
const TOKEN = "inbox";

/** A message that is about to be stored. */
interface Accepting {
  readonly message: InboxMessage;
  readonly json: string;
  readonly retentionMs: number;
}

/** The tables of one inbox, and the work on them. */
class SqliteQueue {
  readonly access: SqliteAccess;
  readonly runs: Runs;
  readonly parked: ParkedEvents;
  readonly #database: SqliteDatabase;
  readonly #settings: SqliteInboxSettings;
  readonly #accepted: AcceptedEvents;
  readonly #records: SqliteEvents;
  readonly #commits: GroupCommit<Accepting, "added" | "duplicate" | WebhookError>;

  constructor(database: SqliteDatabase, settings: SqliteInboxSettings) {
    const sql = new Statements(database, settings.table);
    this.#database = database;
    this.#settings = settings;
    this.#records = new SqliteEvents(database, settings.storeTable);
    this.#accepted = new AcceptedEvents(sql);
    this.access = new SqliteAccess(database, settings.timeoutMs, {
      setUp: () => {
        requireDurable(database);
        this.#records.setUp(false);
        migrate(database, settings.table);
      },
      reset: () => {
        this.#records.reset();
        sql.forget();
      },
    });
    this.#commits = new GroupCommit((group) =>
      this.access.write("other", () => group.map((each) => this.#accept(each))),
    );
    this.runs = new Runs(sql, settings);
    this.parked = new ParkedEvents(this.access, sql);
  }

  readonly now = (): number => Math.floor(this.#settings.now());

  async add(message: InboxMessage, { retentionMs }: AddOptions): Promise<"added" | "duplicate"> {
    // Reads first: a duplicate then needs no lock, and is answered even while another connection holds it.
    const known = unlessBusy(() => this.access.outsideTransaction(() => this.#records.find(message.key, this.now())));
    if (known?.completed) return "duplicate";
    const result = await this.#commits.add({ message, json: JSON.stringify(message), retentionMs });
    if (result instanceof WebhookError) throw result;
    if (result === "added") wakeWorkers(this.#database);
    return result;
  }

  stats() {
    return this.access.read(() => this.#accepted.stats(this.now()));
  }

  /** Writes the message, and remembers the event as stored. Refusals are returned, not thrown: a throw would roll back the whole group. */
  #accept({ message, json, retentionMs }: Accepting): "added" | "duplicate" | WebhookError {
    const { key } = message;
    const at = this.now();
    const known = this.#records.find(key, at);
    if (known?.completed) return "duplicate";
    if (known) return inFlight(known.expiresAt - at);
    const isStored = this.#accepted.has(key);
    if (!isStored) {
      if (this.#accepted.countWaiting() >= this.#settings.maxWaiting) return full(this.#settings.maxWaiting);
      this.#accepted.add(message, json, at);
    }
    this.#records.sweep(at, SWEPT_PER_ADD);
    this.#records.put(key, { token: TOKEN, completed: true, expiresAt: at + retentionMs });
    return isStored ? "duplicate" : "added";
  }
}

function inFlight(retryAfterMs: number): WebhookError {
  return new WebhookError("event_in_flight", "another process holds a claim on the event", { retryAfterMs });
}

function full(maxWaiting: number): WebhookError {
  return new WebhookError("inbox_full", `the inbox has ${maxWaiting} waiting events (maxWaiting)`);
}
