/**
 * The inbox in a queue of BullMQ, on Redis or Valkey.
 *
 * @example
 * import { Queue, Worker } from "bullmq";
 * import { createReceiver } from "bluum-webhooks";
 * import { bullmqInbox } from "bluum-webhooks/inbox/bullmq";
 *
 * const connection = { host: "localhost", port: 6379 };
 * const inbox = bullmqInbox({ Queue, Worker, connection, name: "bluum-webhooks" });
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET, namespace: "orders-api", inbox });
 * receiver.on("order.filled", async (event) => console.log(event.data.id));
 * const worker = receiver.work();
 *
 * @module bluum-webhooks/inbox/bullmq
 */

import { addOnce } from "./add-once.ts";
import { BullmqBackend } from "./bullmq/backend.ts";
import { jobIdOf, notesOf } from "./bullmq/job.ts";
import { type BullmqInboxOptions, type Settings, settingsOf } from "./bullmq/options.ts";
import { discardParked, listParked, redriveParked } from "./bullmq/parked.ts";
import { BullmqInboxWorker } from "./bullmq/worker.ts";
import type { Inbox, InboxStats } from "./inbox.ts";

export type { BullmqInboxOptions } from "./bullmq/options.ts";
export type { BullmqJob, BullmqQueue, BullmqQueueClass, BullmqWorker, BullmqWorkerClass } from "./bullmq/types.ts";
export type * from "./inbox.ts";
export type { RetryOptions } from "./retry.ts";

/** An inbox in a queue of BullMQ. */
export interface BullmqInbox extends Inbox {
  /** Ends the connections that the inbox has opened, so that the process can end. A client that you gave stays open. */
  close(): Promise<void>;
}

/**
 * An inbox in a queue of your own BullMQ, 5.66 or later, on Redis or Valkey. Parked events are BullMQ's failed jobs, and its
 * dashboards show everything.
 *
 * Redis keeps what it acknowledged only with an append-only file (`appendonly yes`; up to a second of it is lost with the default
 * `appendfsync everysec`) and `maxmemory-policy noeviction`: the inbox warns where one is missing. The order of `orderBy` is refused.
 * An event whose worker died is taken again within about twice `lockMs`. If the connection breaks while an event is being parked,
 * `onParked` may not be called for it; `parked` and `stats` show it.
 *
 * @throws WebhookError `configuration_invalid` where an option is not valid
 * @example
 * import { Queue, Worker } from "bullmq";
 * const inbox = bullmqInbox({ Queue, Worker, connection: { host: "localhost", port: 6379 }, name: "bluum-webhooks" });
 * const receiver = createReceiver({ secret, namespace: "orders-api", inbox });
 */
export function bullmqInbox(options: BullmqInboxOptions): BullmqInbox {
  const settings = settingsOf(options);
  const backend = new BullmqBackend(settings);
  return {
    name: "bullmq",
    store: backend.store,
    noOrder: "BullMQ keeps an order only in its Pro edition",
    add: (message, { retentionMs }) => {
      backend.checkDurabilityOnce();
      const enqueue = () => backend.answer(backend.queue.add(message.type, message, jobOptions(message.key, settings)));
      return addOnce(backend.store, message.key, retentionMs, enqueue);
    },
    work: (process, workOptions) => {
      backend.checkDurabilityOnce();
      return new BullmqInboxWorker(backend, process, workOptions);
    },
    stats: () => statsOf(backend),
    parked: (query) => listParked(backend, query),
    redrive: (selection) => redriveParked(backend, selection),
    discard: (selection) => discardParked(backend, selection),
    close: () => backend.close(),
  };
}

function jobOptions(key: string, { retry, keepDoneMs }: Settings): object {
  return {
    jobId: jobIdOf(key),
    attempts: retry.attempts,
    // The worker has a strategy of that name.
    backoff: { type: "bluum" },
    removeOnComplete: keepDoneMs === 0 ? true : { age: Math.ceil(keepDoneMs / 1_000), count: 1_000 },
    removeOnFail: false,
    stackTraceLimit: 1,
  };
}

async function statsOf(backend: BullmqBackend): Promise<InboxStats> {
  const counts = await backend.counts("waiting", "paused", "prioritized", "delayed", "active", "failed");
  const of = (...states: string[]) => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  return {
    waiting: of("waiting", "wait", "paused", "prioritized"),
    delayed: of("delayed"),
    active: of("active"),
    parked: of("failed"),
    oldestWaitingMs: await oldestWaitingMs(backend),
  };
}

/** The age of the event that is next. */
async function oldestWaitingMs(backend: BullmqBackend): Promise<number> {
  const [id] = await backend.ids(["wait", "paused"], 0, 0);
  const job = id === undefined ? undefined : await backend.job(id);
  if (job === undefined) return 0;
  return Math.max(0, Date.now() - (notesOf(job).redrivenAt ?? job.timestamp));
}
