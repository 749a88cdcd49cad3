import { isPromise, withTimeout } from "../../async.ts";
import { type RedisClient, type Send, senderFor } from "../../stores/redis/client.ts";
import { withoutCommand } from "../../stores/redis/failure.ts";
import { type DedupeStore, redisStore } from "../../stores/redis.ts";
import { endable, isClient } from "./connection.ts";
import { jobIdOf } from "./job.ts";
import { checks, type Settings } from "./options.ts";
import type { BullmqJob, BullmqQueue } from "./types.ts";

/** How long Redis may take to answer, in milliseconds. A client may keep commands in memory while it is not connected. */
const TIMEOUT_MS = 5_000;
/** How long a command of the store waits for the first connection, in milliseconds. Less than the store waits: it is not sent late. */
const CONNECT_MS = 1_500;

/** The queue of an inbox in Redis. It is opened at its first use. */
export class BullmqBackend {
  readonly settings: Settings;
  readonly store: DedupeStore;
  readonly #send: Send;
  #queue: BullmqQueue | undefined;
  #end = () => {};
  #checked = false;

  constructor(settings: Settings) {
    this.settings = settings;
    const client = isClient(settings.connection)
      ? (settings.connection as unknown as RedisClient)
      : { sendCommand: async ([name = "", ...args]: string[]) => (await this.#ownClient()).call(name, ...args) };
    this.#send = senderFor(client);
    const store = redisStore(client, { prefix: `${settings.prefix}-bluum:${settings.name}:`, warn: false });
    this.store = { ...store, forget: (key) => this.#forget(store, key) };
  }

  /** BullMQ keeps the job of a processed event for a while, and takes no other with its id: it would be answered 2xx and never run. */
  async #forget(store: DedupeStore, key: string): Promise<boolean> {
    const known = (await store.forget?.(key)) ?? false;
    const job = await this.job(jobIdOf(key));
    if (job !== undefined && (await this.answer(job.getState())) === "completed") await this.answer(job.remove());
    return known;
  }

  /** The queue, opened if it is not. */
  get queue(): BullmqQueue {
    this.#queue ??= this.#open();
    return this.#queue;
  }

  /** Waits for an answer of Redis in bounded time. What it throws holds no arguments of commands: they contain payloads. */
  async answer<Answer>(reply: Promise<Answer>): Promise<Answer> {
    try {
      return await withTimeout(reply, TIMEOUT_MS);
    } catch (error) {
      throw withoutCommand(error);
    }
  }

  /** The ids of jobs in a state, by their position, the oldest first. */
  ids(states: readonly string[], from: number, to: number): Promise<string[]> {
    return this.answer(this.queue.getRanges(states as never[], from, to, true));
  }

  /** How many jobs there are in each of these states. */
  counts(...states: string[]): Promise<Record<string, number>> {
    return this.answer(this.queue.getJobCounts(...(states as never[])));
  }

  /** How many jobs were parked before a time in epoch milliseconds. */
  async parkedBefore(ms: number): Promise<number> {
    const failed = this.queue.toKey("failed");
    return Number(await this.answer(this.#send(failed, ["ZCOUNT", failed, "-inf", `(${ms}`])));
  }

  /** A job; undefined if there is none. One whose data is no JSON is repaired first: BullMQ throws where it reads it. */
  async job(id: string): Promise<BullmqJob | undefined> {
    try {
      return await this.answer(this.queue.getJob(id));
    } catch (error) {
      if ((error as Error).name !== "SyntaxError") throw error;
      await this.#repair(id);
      return this.answer(this.queue.getJob(id));
    }
  }

  /**
   * Makes the data of a job a JSON text that holds what was there. Such a job can neither be run nor listed otherwise; messages are
   * objects, so that a text is known as one that could not be read.
   */
  async #repair(id: string): Promise<void> {
    const key = this.queue.toKey(id);
    const data = await this.answer(this.#send(key, ["HGET", key, "data"]));
    await this.answer(this.#send(key, ["HSET", key, "data", JSON.stringify(String(data))]));
  }

  /** Warns once, in the background, if Redis may lose events. INFO may be forbidden or fail; then there is no warning. */
  checkDurabilityOnce(): void {
    const { warn } = this.settings;
    if (this.#checked || warn === false) return;
    this.#checked = true;
    this.answer(this.#send(this.queue.toKey("meta"), ["INFO"]))
      .then((info) => warnOfLoss(String(info), warn))
      .catch(() => {});
  }

  /** Ends what the inbox has opened. The next use opens it again. */
  async close(): Promise<void> {
    const queue = this.#queue;
    if (queue === undefined) return;
    this.#queue = undefined;
    this.#end();
    try {
      await withTimeout(queue.close(), TIMEOUT_MS);
    } catch {
      if (!isClient(this.settings.connection)) queue.disconnect().catch(() => {});
    }
  }

  #open(): BullmqQueue {
    const { Queue, name, prefix } = this.settings;
    const { connection, end } = endable(this.settings.connection);
    this.#end = end;
    // Without an offline queue, commands fail at once while Redis is away, and are not sent long after their caller was told so.
    const bounded = isClient(connection)
      ? connection
      : { maxRetriesPerRequest: 1, ...connection, enableOfflineQueue: false };
    const options = { connection: bounded, prefix, skipVersionCheck: true };
    const queue = new Queue(name, options as never);
    // The same failures reject what was called.
    queue.on("error", () => {});
    queue.waitUntilReady().catch(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    return queue;
  }

  /** The client that BullMQ has made from the options: of `queue` in BullMQ 5, of its backend in BullMQ 6. */
  async #ownClient(): Promise<{ call(name: string, ...args: string[]): Promise<unknown> }> {
    const queue = this.queue as { client?: Promise<unknown>; getBackend?: () => { client?: Promise<unknown> } };
    const found = queue.client ?? queue.getBackend?.().client;
    const client = found && isPromise(found) ? await withTimeout(found, CONNECT_MS) : undefined;
    if (typeof (client as { call?: unknown } | undefined)?.call === "function")
      return client as { call(name: string, ...args: string[]): Promise<unknown> };
    throw checks.invalid("connection", "must be options of ioredis, or a client of Redis");
  }
}

function warnOfLoss(info: string, warn: (message: string) => void): void {
  const policy = /maxmemory_policy:([\w-]+)/.exec(info)?.[1] ?? "noeviction";
  const faults = [
    /aof_enabled:0/.test(info) && "it has no append-only file (appendonly yes)",
    policy !== "noeviction" && `its maxmemory-policy is ${policy}, not noeviction`,
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return;
  warn(
    `bluum-webhooks: this Redis can lose events that were answered with 2xx: ${faults.join(", and ")}. Change that, or give ` +
      "bullmqInbox the option warn: false.",
  );
}
