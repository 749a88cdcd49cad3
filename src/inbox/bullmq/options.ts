import { checksFor, type OptionChecks } from "../../options.ts";
import { type RetryOptions, retrySettings } from "../retry.ts";
import type { BullmqQueueClass, BullmqWorkerClass } from "./types.ts";

/** Your BullMQ, its Redis, and how the inbox uses them. */
export interface BullmqInboxOptions {
  /** The class `Queue` of your `bullmq`, 5.66 or later. */
  readonly Queue: BullmqQueueClass;
  /** The class `Worker` of the same `bullmq`. */
  readonly Worker: BullmqWorkerClass;
  /**
   * The `connection` of BullMQ: options of ioredis, or a client. A client must have `maxRetriesPerRequest: null`, as BullMQ asks for;
   * the inbox never ends it. With options the inbox opens its own connections, and ends them in `close`.
   */
  readonly connection: object;
  /** The name of the queue, without `:`. Every process that uses the inbox gives the same one. */
  readonly name: string;
  /**
   * What BullMQ's keys begin with. A Redis cluster needs one in braces, such as `"{bull}"`.
   * @default "bull"
   */
  readonly prefix?: string;
  /** How often an event is tried, and the backoff in between. It is stored with each event as it is added. */
  readonly retry?: RetryOptions;
  /**
   * How long BullMQ keeps processed events for its dashboards, in milliseconds, from 0 to 7 days, and at most the last 1,000. They do
   * not run again when they are removed: the dedupe store remembers them.
   * @default 1 hour
   */
  readonly keepDoneMs?: number;
  /**
   * BullMQ's lock on a running event, in milliseconds, from 500 to 10 minutes; renewed while it runs. An event whose worker died is
   * taken again after about twice that.
   * @default 30_000
   */
  readonly lockMs?: number;
  /**
   * Called once if Redis may lose events: without an append-only file, or with another `maxmemory-policy` than `noeviction`. `false`:
   * it is not checked.
   * @default console.warn
   */
  readonly warn?: ((message: string) => void) | false;
}

/** The options with their defaults. */
export type Settings = Required<Omit<BullmqInboxOptions, "retry">> & { readonly retry: Required<RetryOptions> };

const HOUR_MS = 60 * 60_000;

/** The checks of the options of `bullmqInbox`. */
export const checks: OptionChecks = checksFor("bullmqInbox");

/**
 * Checks the options and fills in the defaults.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function settingsOf(options: BullmqInboxOptions): Settings {
  checks.names(options, ["Queue", "Worker", "connection", "name", "prefix", "retry", "keepDoneMs", "lockMs", "warn"]);
  // biome-ignore lint/suspicious/noConsole: silence would hide that events may be lost; the option replaces it
  const { prefix = "bull", keepDoneMs = HOUR_MS, lockMs = 30_000, warn = (message) => console.warn(message) } = options;
  const { Queue, Worker, connection, name } = options;
  if (typeof Queue !== "function") throw checks.invalid("Queue", "must be the class Queue of bullmq");
  if (typeof Worker !== "function") throw checks.invalid("Worker", "must be the class Worker of bullmq");
  if (typeof connection !== "object" || connection === null)
    throw checks.invalid("connection", "must be a client of Redis, or the options of one");
  if (typeof name !== "string" || name === "" || name.includes(":"))
    throw checks.invalid("name", "must be the name of a queue, without :");
  if (typeof prefix !== "string" || prefix === "") throw checks.invalid("prefix", "must be a text");
  if (warn !== false && typeof warn !== "function") throw checks.invalid("warn", "must be a function, or false");
  return {
    Queue,
    Worker,
    connection,
    name,
    prefix,
    warn,
    retry: retrySettings("bullmqInbox", options.retry),
    keepDoneMs: checks.integer("keepDoneMs", keepDoneMs, 0, 7 * 24 * HOUR_MS),
    lockMs: checks.integer("lockMs", lockMs, 500, HOUR_MS / 6),
  };
}
