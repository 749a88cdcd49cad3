import type { DedupeStore } from "../stores/store.ts";
import type { InboxMessage } from "./message.ts";

/**
 * The contract of an inbox: a durable queue that keeps accepted events until their handlers have succeeded. Run `inboxContract` of
 * `bluum-webhooks/testing` against your own.
 */
export interface Inbox {
  /** The engine, for logs and metrics: `"sqlite"`, `"bullmq"`, ... */
  readonly name: string;
  /** The dedupe store in the same backend. The receiver uses it unless it is given another one. */
  readonly store: DedupeStore;
  /** Why the engine cannot keep the order of `orderBy`. Missing if it can. */
  readonly noOrder?: string;
  /**
   * Stores a message. It is durable once this resolves. The same key twice is one message, also long after it was processed: for
   * `retentionMs` it is a duplicate.
   *
   * @returns `"duplicate"` if the message is stored or was processed already
   * @throws WebhookError `inbox_full`, `event_in_flight` while another process stores the same message; else the error of the backend:
   *   the receiver answers `inbox_unavailable`
   */
  add(message: InboxMessage, options: AddOptions): Promise<"added" | "duplicate">;
  /**
   * Starts a worker. It takes messages, runs `process` on each, retries those that fail with a growing backoff, and parks them after
   * the last attempt, or at once for a `ParkEvent`. A message whose worker died is taken again; a crash counts as an attempt.
   * While the backend is away the worker waits for it.
   *
   * @throws WebhookError `configuration_invalid` for an invalid option, or if it has no worker
   */
  work(process: ProcessMessage, options: WorkOptions): InboxWorker;
  /**
   * How many events there are in each state. Cheap: it never scans a table.
   *
   * @throws WebhookError `configuration_invalid` if it cannot tell; or the backend's error
   */
  stats(): Promise<InboxStats>;
  /**
   * The parked events, the oldest first, in pages.
   *
   * @throws WebhookError `configuration_invalid` for an invalid query, or if it cannot tell; or the backend's error
   */
  parked(query?: ParkedQuery): Promise<ParkedPage>;
  /**
   * Makes parked events wait again, with their attempts counted from 1 again. The receiver does not run handlers again
   * that have succeeded within its `retentionMs`.
   *
   * @returns how many
   * @throws WebhookError `configuration_invalid` for an invalid selection, or if it cannot; or the backend's error
   */
  redrive(query: ParkedSelection): Promise<number>;
  /**
   * Deletes parked events for good.
   *
   * @returns how many
   * @throws WebhookError `configuration_invalid` for an invalid selection, or if it cannot; or the backend's error
   */
  discard(query: ParkedSelection): Promise<number>;
}

/** How a message is stored. */
export interface AddOptions {
  /** How long the event is remembered as stored, in milliseconds, so that later deliveries of it are duplicates. */
  readonly retentionMs: number;
}

/**
 * Runs the handlers of one message. It fulfils when all of them have succeeded. If it rejects with a `ParkEvent` the message is
 * parked, else it is retried.
 *
 * @param message the message, as it was read from the backend: the receiver checks it
 */
export type ProcessMessage = (message: unknown, attempt: InboxAttempt) => Promise<void>;

/** One run of a message. */
export interface InboxAttempt {
  /** From 1. */
  readonly number: number;
  /** How many there are before the event is parked. */
  readonly of: number;
}

/** How a worker works. */
export interface WorkOptions {
  /** How many messages are worked on at once. @default 10 */
  readonly concurrency?: number;
  /**
   * How often to look for messages that another process added, in milliseconds. Engines that are told of new messages ignore it.
   * @default 1_000
   */
  readonly pollMs?: number;
  /** The longest that `process` may take, in milliseconds. After that an engine may give the message to another worker. */
  readonly maxProcessingMs: number;
  /** Called for each event that is parked. */
  readonly onParked: (parked: ParkedNotice) => void;
  /** Called when the backend fails. The worker goes on. */
  readonly onError: (error: unknown) => void;
}

/** A running worker. */
export interface InboxWorker {
  /**
   * Takes no new message, waits for those at work, and gives the rest back at once, which costs them no attempt.
   *
   * @param options.timeoutMs how long to wait, in milliseconds. @default 30_000
   * @throws WebhookError `configuration_invalid` if `timeoutMs` is not a number; only the workers of a receiver check it
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/** How many events there are in each state. */
export interface InboxStats {
  /** Ready to be taken, or behind another event of the same ordering key. */
  readonly waiting: number;
  /** Failed, and waiting for their next attempt. */
  readonly delayed: number;
  /** Being worked on. */
  readonly active: number;
  readonly parked: number;
  /** The age of the oldest waiting event, in milliseconds; 0 if none waits. */
  readonly oldestWaitingMs: number;
}

/** Which parked events to list. */
export interface ParkedQuery {
  /** Only those of one event type. */
  readonly type?: string;
  /** Only those with these keys, at most 1_000. */
  readonly keys?: readonly string[];
  /** The most events of one page, from 1 to 1_000. @default 100 */
  readonly limit?: number;
  /** The `cursor` of the page before. */
  readonly cursor?: string;
}

/** Some parked events; `cursor` is missing on the last page. */
export interface ParkedPage {
  readonly events: readonly ParkedEvent[];
  readonly cursor?: string;
}

/** Which parked events to redrive or discard. */
export type ParkedSelection = { readonly keys: readonly string[] } | { readonly type: string } | { readonly all: true };

/** An event that was parked, for the log and the report. */
export interface ParkedNotice {
  readonly key: string;
  readonly type: string;
  /** How many attempts were made. */
  readonly attempts: number;
  /** What the last attempt failed with. */
  readonly error: InboxFailure;
}

/** A parked event. */
export interface ParkedEvent extends ParkedNotice {
  /** The event's id. */
  readonly id: string;
  readonly parkedAt: Date;
  /** The stored message; undefined if it cannot be read any more. */
  readonly message: InboxMessage | undefined;
}

/** Why an attempt failed. */
export interface InboxFailure {
  /** At most 1,000 characters. */
  readonly message: string;
  /** At most 4,000 characters. */
  readonly stack?: string;
}
