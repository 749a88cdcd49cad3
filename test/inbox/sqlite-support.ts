import type { InboxAttempt, InboxWorker, ParkedNotice, WorkOptions } from "../../src/inbox/inbox.ts";
import type { InboxMessage } from "../../src/inbox/message.ts";
import type { SqliteInboxOptions } from "../../src/inbox/sqlite/options.ts";
import { type SqliteInbox, sqliteInbox } from "../../src/inbox/sqlite.ts";
import { type Connection, type Engine, freshFile } from "../stores/sqlite-engines.ts";

export const RETENTION_MS = 7 * 24 * 3_600_000;
export const TERMS = { retentionMs: RETENTION_MS };
/** Longer than a lock. */
export const LOCK_EXPIRED_MS = 30_001;

/** A message as the receiver makes them. */
export function messageOf(key: string, fields: Partial<InboxMessage> = {}): InboxMessage {
  const id = key;
  return {
    v: 1,
    key,
    id,
    type: "order.filled",
    body: `{"id":"${id}"}`,
    identifiedBy: "payload",
    receivedAt: 0,
    secretIndex: 0,
    ...fields,
  };
}

/** Connections to one file, closed together. */
export class Bench {
  readonly file: string;
  readonly #engine: Engine;
  readonly #remove: () => void;
  readonly #connections: Connection[] = [];
  readonly #workers: InboxWorker[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    ({ file: this.file, remove: this.#remove } = freshFile());
  }

  open(synchronous = "FULL"): Connection {
    const connection = this.#engine.open(this.file);
    this.#connections.push(connection);
    connection.exec(`PRAGMA synchronous = ${synchronous}`);
    return connection;
  }

  inbox(options: SqliteInboxOptions = {}): SqliteInbox {
    return sqliteInbox(this.open(), options);
  }

  work(inbox: SqliteInbox, handle: Handle = () => {}, options: Partial<WorkOptions> = {}): Work {
    const work = startWork(inbox, handle, options);
    this.#workers.push(work.worker);
    return work;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close({ timeoutMs: 0 })));
    for (const connection of this.#connections) connection.close();
    this.#remove();
  }
}

export type Handle = (message: InboxMessage, attempt: InboxAttempt) => unknown;

/** A worker, and what it was seen to do. */
export interface Work {
  readonly worker: InboxWorker;
  /** The keys of the runs, in the order in which they started. */
  readonly started: string[];
  readonly parked: ParkedNotice[];
  readonly errors: unknown[];
}

function startWork(inbox: SqliteInbox, handle: Handle, options: Partial<WorkOptions>): Work {
  const started: string[] = [];
  const parked: ParkedNotice[] = [];
  const errors: unknown[] = [];
  const worker = inbox.work(
    async (stored, attempt) => {
      const message = stored as InboxMessage;
      started.push(message.key);
      await handle(message, attempt);
    },
    {
      pollMs: 20,
      maxProcessingMs: 60_000,
      onParked: (notice) => parked.push(notice),
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  return { worker, started, parked, errors };
}

export function rows(connection: Connection, sql: string): Record<string, unknown>[] {
  return connection.prepare(sql).all() as Record<string, unknown>[];
}

/** A promise with its `resolve`. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
