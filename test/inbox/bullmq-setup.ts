import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { Queue, Worker } from "bullmq";
import { Queue as Queue5, Worker as Worker5 } from "bullmq5";
import { aroundEach, vi } from "vitest";
import { type BullmqInbox, type BullmqInboxOptions, bullmqInbox } from "../../src/inbox/bullmq.ts";
import type { InboxAttempt, InboxWorker, ParkedNotice, WorkOptions } from "../../src/inbox/inbox.ts";
import type { InboxMessage } from "../../src/inbox/message.ts";
import type { RedisService } from "../services/redis.ts";
import { ioredis } from "../services/redis-clients.ts";

/** The majors of BullMQ under test. */
export const MAJORS = { "bullmq 6": { Queue, Worker }, "bullmq 5": { Queue: Queue5, Worker: Worker5 } } as const;

export type Major = keyof typeof MAJORS;

/** The majors to test, the newest first. */
export const majors = Object.keys(MAJORS) as Major[];

export const RETENTION = { retentionMs: 7 * 24 * 3_600_000 };

/** For what takes its time on a busy machine. */
export const PATIENCE = { timeout: 30_000, interval: 20 };

/** Of each test its own, also where tests run at once. */
const closers = new AsyncLocalStorage<(() => Promise<unknown>)[]>();

/** Called after the test, the last first. */
export function afterwards(close: () => Promise<unknown>): void {
  closers.getStore()?.push(close);
}

aroundEach(async (runTest) => {
  const own: (() => Promise<unknown>)[] = [];
  try {
    await closers.run(own, runTest);
  } finally {
    for (const close of own.reverse()) await close();
  }
});

/** An inbox in a queue of its own, whose keys go after the test. */
export function freshInbox(major: Major, redis: RedisService, options: Partial<BullmqInboxOptions> = {}): BullmqInbox {
  const { prefix = `bluum-test-${randomUUID()}` } = options;
  afterwards(() => clear(redis.url, prefix));
  return inboxAt(major, redis, { ...options, prefix });
}

/** An inbox in a queue that another may use, too. */
export function inboxAt(major: Major, redis: RedisService, options: Partial<BullmqInboxOptions>): BullmqInbox {
  const inbox = bullmqInbox({
    ...MAJORS[major],
    connection: { host: redis.host, port: redis.port },
    name: "orders",
    retry: { attempts: 3, backoffMs: 1 },
    lockMs: 1_500,
    warn: false,
    ...options,
  });
  afterwards(() => inbox.close());
  return inbox;
}

/** A running worker, and what it has reported. */
export interface Working extends InboxWorker {
  readonly runs: { readonly key: string; readonly attempt: InboxAttempt; readonly message: InboxMessage }[];
  readonly parked: ParkedNotice[];
  readonly errors: unknown[];
}

/** Starts a worker that records each run before it calls `handler`. */
export function work(
  inbox: BullmqInbox,
  handler: (message: InboxMessage, attempt: InboxAttempt) => unknown = () => {},
  options: Partial<WorkOptions> = {},
): Working {
  const record = { runs: [], parked: [], errors: [] } as Pick<Working, "runs" | "parked" | "errors">;
  const worker = inbox.work(
    async (message, attempt) => {
      const typed = message as InboxMessage;
      record.runs.push({ key: typed.key, attempt, message: typed });
      await handler(typed, attempt);
    },
    {
      maxProcessingMs: 60_000,
      onParked: (notice) => record.parked.push(notice),
      onError: (error) => record.errors.push(error),
      ...options,
    },
  );
  afterwards(() => worker.close({ timeoutMs: 0 }));
  return { ...record, close: (closing) => worker.close(closing) };
}

/** A message as a receiver makes it. */
export function messageOf(id: string, more: Partial<InboxMessage> = {}): InboxMessage {
  const type = more.type ?? "order.filled";
  return {
    v: 1,
    key: `shop/${type}/${id}`,
    id,
    type,
    body: JSON.stringify({ id, type }),
    identifiedBy: "payload",
    receivedAt: Date.now(),
    secretIndex: 0,
    ...more,
  };
}

/** Adds events and parks them, each with the error that names it. */
export async function park(inbox: BullmqInbox, messages: readonly InboxMessage[]): Promise<void> {
  for (const message of messages) await inbox.add(message, RETENTION);
  const worker = work(inbox, ({ id }) => Promise.reject(new Error(`no luck with ${id}`)), { concurrency: 50 });
  await vi.waitFor(async () => {
    if ((await inbox.stats()).parked < messages.length) throw new Error("not all are parked");
  }, PATIENCE);
  await worker.close();
}

/** Deletes what begins with a prefix. */
export async function clear(url: string, prefix: string): Promise<void> {
  const { client, close } = ioredis(url);
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 10_000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  await close();
}
