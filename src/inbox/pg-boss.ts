/**
 * The inbox in the queues of pg-boss, on PostgreSQL.
 *
 * @example
 * import { Pool } from "pg";
 * import PgBoss from "pg-boss";
 * import { createReceiver } from "bluum-webhooks";
 * import { pgBossInbox } from "bluum-webhooks/inbox/pg-boss";
 *
 * const connectionString = "postgres://localhost/app";
 * const boss = new PgBoss(connectionString);
 * await boss.start();
 * const inbox = pgBossInbox(boss, { pool: new Pool({ connectionString }), queue: "bluum" });
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", inbox });
 * receiver.on("order.filled", async (event) => console.log(event.data.id));
 * const worker = receiver.work();
 *
 * @module bluum-webhooks/inbox/pg-boss
 */

import { type PostgresStore, postgresStore } from "../stores/postgres.ts";
import type { Inbox, InboxWorker, WorkOptions } from "./inbox.ts";
import { Adder } from "./pg-boss/add.ts";
import { orderProblem, type PgBoss } from "./pg-boss/boss.ts";
import { Database } from "./pg-boss/database.ts";
import { Locks } from "./pg-boss/locks.ts";
import { checks, type PgBossInboxOptions, settingsOf } from "./pg-boss/options.ts";
import { Parked } from "./pg-boss/parked.ts";
import { prepare, queuesOf } from "./pg-boss/queues.ts";
import { Settlement } from "./pg-boss/settle.ts";
import { Stats } from "./pg-boss/stats.ts";
import { type Engine, PgBossWorker } from "./pg-boss/worker.ts";
import { Turns } from "./turns.ts";

export type { BossDb, PgBoss } from "./pg-boss/boss.ts";
export type { InboxPool, PgBossInboxOptions } from "./pg-boss/options.ts";
export type { RetryOptions } from "./retry.ts";

/** An inbox in the queues of pg-boss. */
export interface PgBossInbox extends Inbox {
  readonly store: PostgresStore;
}

/**
 * An inbox on your own pg-boss (10 to 12). An event is enqueued in the transaction that marks it as stored. Parked events are in the
 * dead letter queue `<queue>_parked`. The order of `orderBy` needs pg-boss 12.38.
 *
 * If the connection breaks while an event is being parked, `onParked` may not be called for it; `parked` and `stats` show it.
 *
 * The queues and the table of the store are created at the first use. Nothing that waits or is parked is deleted for 10 years.
 *
 * @param boss a started pg-boss; starting and stopping it is up to you
 * @throws WebhookError `configuration_invalid` if an option is not valid. The methods reject with it if pg-boss is not started, or is in
 *   another schema or database
 * @example
 * const connectionString = "postgres://localhost/app";
 * const boss = new PgBoss(connectionString);
 * boss.on("error", (error) => log.error(error));
 * await boss.start();
 * const pool = new Pool({ connectionString });
 * pool.on("error", (error) => log.error(error));
 * const inbox = pgBossInbox(boss, { pool, queue: "bluum" });
 */
export function pgBossInbox(boss: PgBoss, options: PgBossInboxOptions): PgBossInbox {
  checks.methods("boss", boss, ["createQueue", "updateQueue", "send", "fetch", "complete", "fail", "deleteJob"]);
  const settings = settingsOf(options);
  const { pool, lockMs, retry } = settings;
  const store = postgresStore(pool, options.store);
  const database = new Database(pool);
  const queues = queuesOf(boss, settings);
  const adder = new Adder(boss, database, queues, options.store ?? {});
  const stats = new Stats(database, queues);
  const parked = new Parked(boss, database, queues);
  const workers = new Set<PgBossWorker>();
  const wake = () => {
    for (const worker of workers) worker.wake();
  };
  const sql = onceItWorks(() => prepare({ boss, database, queues, settings }, store));
  const engine = onceItWorks(async (): Promise<Engine> => {
    const statements = await sql();
    const locks = new Locks(database, statements, lockMs);
    const settlement = new Settlement(boss, database, statements, retry);
    return { boss, database, queues, settings, locks, settlement, turns: new Turns() };
  });
  const problem = orderProblem(boss);

  return {
    name: "pg-boss",
    store,
    ...(problem === undefined ? {} : { noOrder: problem }),
    async add(message, { retentionMs }) {
      await sql();
      const answer = await adder.add(message, retentionMs);
      if (answer === "added") wake();
      return answer;
    },
    work(process, workOptions: WorkOptions): InboxWorker {
      const worker = new PgBossWorker(engine, lockMs, process, workOptions);
      workers.add(worker);
      return {
        close: (closing) => worker.close(closing).finally(() => workers.delete(worker)),
      };
    },
    stats: async () => stats.read(await sql()),
    parked: async (query = {}) => parked.page(await sql(), query),
    async redrive(selection) {
      const count = await parked.redrive(await sql(), selection);
      if (count > 0) wake();
      return count;
    },
    discard: async (selection) => parked.discard(await sql(), selection),
  };
}

/** Runs `start` once, unless it fails: then the next call tries again. */
function onceItWorks<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start().catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    return started;
  };
}
