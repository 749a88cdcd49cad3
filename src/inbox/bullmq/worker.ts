import { sleep, unref, withTimeout } from "../../async.ts";
import { WebhookError } from "../../errors.ts";
import { withoutCommand } from "../../stores/redis/failure.ts";
import { failureOf, isParkEvent } from "../failure.ts";
import type { InboxFailure, InboxWorker, ProcessMessage, WorkOptions } from "../inbox.ts";
import { backoffAfter } from "../retry.ts";
import { Turns } from "../turns.ts";
import { workSettings } from "../work-settings.ts";
import type { BullmqBackend } from "./backend.ts";
import { endable, isClient } from "./connection.ts";
import { diedIdle, keyOf, mustRunAlone, notesOf, progressOf } from "./job.ts";
import { checks } from "./options.ts";
import type { BullmqJob, BullmqWorker } from "./types.ts";

/** How long BullMQ may take to end its connections, in milliseconds. */
const END_MS = 5_000;

/** How long a run that has ended keeps its turn if BullMQ does not store its result, in milliseconds. */
const STORE_MS = 1_000;

/** How long to wait before a worker that could not start is started again, in milliseconds. */
const RESTART_MS = 5_000;

/** BullMQ never gives up a job whose workers died: the inbox counts the crashes itself, together with the failures. */
const MAX_STALLED = 1_000_000_000;

/** A run that failed and is retried. */
class FailedRun extends Error {
  constructor({ message, stack }: InboxFailure) {
    super(message);
    this.stack = stack ?? message;
  }
}

/** A run that failed, and whose event is parked. BullMQ knows its own error of that name by the name alone. */
class ParkedRun extends FailedRun {
  override readonly name: string = "UnrecoverableError";
  readonly failure: InboxFailure;
  readonly attempts: number;

  constructor(failure: InboxFailure, attempts: number) {
    super(failure);
    this.failure = failure;
    this.attempts = attempts;
  }
}

/** A job that the inbox has moved out of the active ones itself. BullMQ knows its own error of that name by the name alone. */
class MovedJob extends Error {
  override readonly name: string = "DelayedError";
}

/** A worker of BullMQ that runs messages by the contract of an inbox. */
export class BullmqInboxWorker implements InboxWorker {
  readonly #backend: BullmqBackend;
  readonly #process: ProcessMessage;
  readonly #options: Required<WorkOptions>;
  #worker: BullmqWorker;
  readonly #running = new Map<string, { readonly job: BullmqJob; readonly leave: (error: Error) => void }>();
  readonly #turns = new Turns();
  /** Jobs whose runs have ended, until BullMQ has stored the results. */
  readonly #storing = new Map<BullmqJob, () => void>();
  #endConnection = () => {};
  #closing: Promise<void> | undefined;

  constructor(backend: BullmqBackend, process: ProcessMessage, options: WorkOptions) {
    this.#backend = backend;
    this.#process = process;
    this.#options = workSettings("bullmqInbox.work", options);
    this.#worker = this.#start();
  }

  close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#end(timeoutMs);
    return this.#closing;
  }

  #start(): BullmqWorker {
    const { Worker, name, prefix, lockMs, retry } = this.#backend.settings;
    checkClient(this.#backend.settings.connection);
    const { connection, end } = endable(this.#backend.settings.connection);
    this.#endConnection = end;
    const options = {
      connection,
      prefix,
      concurrency: this.#options.concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount: MAX_STALLED,
      settings: {
        backoffStrategy: (_made: number, _type: string, _error: Error, job: BullmqJob) =>
          backoffAfter(progressOf(job).failed + 1, retry),
      },
    };
    const processor = (job: BullmqJob, token: string) => this.#run(job, token);
    const worker = new Worker(name, processor as never, options as never);
    worker.on("error", (error) => this.#options.onError(withoutContent(error)));
    worker.on("completed", (job) => this.#storing.get(job)?.());
    worker.on("failed", (job, error) => {
      if (job !== undefined) this.#storing.get(job)?.();
      this.#report(job, error);
    });
    // BullMQ cannot start a job whose data is no JSON, so that it stalls. Reading it repairs it.
    worker.on("stalled", (id) => this.#backend.job(id).catch(this.#options.onError));
    worker.waitUntilReady().catch(() => this.#restart(worker));
    return worker;
  }

  /** A worker of BullMQ that loses its connection while it starts never works, although it is connected again. */
  async #restart(failed: BullmqWorker): Promise<void> {
    // At once: BullMQ 6 would retry without a pause, and block the event loop.
    failed.pause(true).catch(() => {});
    // Its other connection may still be starting: if that fails after `close`, BullMQ 5 causes an unhandled rejection.
    await sleep(RESTART_MS, { unref: true });
    if (this.#closing) return;
    this.#endConnection();
    failed.close().catch(() => {});
    this.#worker = this.#start();
  }

  /** A run, which ends early if the worker gives the job back. */
  async #run(job: BullmqJob, token: string): Promise<void> {
    if (this.#closing) throw await this.#moveToWait(job, token);
    const left = new Promise<never>((_resolve, leave) => this.#running.set(token, { job, leave }));
    try {
      await Promise.race([this.#attempt(job, token), left]);
    } finally {
      this.#running.delete(token);
    }
  }

  async #attempt(job: BullmqJob, token: string): Promise<void> {
    const { stallsPaused } = notesOf(job);
    if ((job.stalledCounter ?? 0) > stallsPaused) await this.#recover(job, token);
    await this.#turn(job, token);
    const { failed, of } = progressOf(job);
    const number = Math.min(failed + 1, of);
    try {
      if (typeof job.data === "string")
        throw new WebhookError("inbox_message_invalid", "a message of the inbox is not JSON");
      await this.#process(job.data, { number, of });
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (number < of && !isParkEvent(thrown)) throw new FailedRun(failure);
      throw await this.#parked(job, token, failure, number);
    } finally {
      this.#leaveOnceStored(job);
    }
  }

  /**
   * Ends the turn of a job once BullMQ has stored its result: if an event that runs alone ended the process before, the job would
   * count as crashed, too.
   */
  #leaveOnceStored(job: BullmqJob): void {
    const leave = () => {
      clearTimeout(timer);
      this.#storing.delete(job);
      this.#turns.leave();
    };
    // BullMQ reports no end of a job that is another worker's by now.
    const timer = setTimeout(leave, STORE_MS);
    unref(timer);
    this.#storing.set(job, leave);
  }

  /**
   * After a crash of its worker a job waits like one that failed: if it caused the crash, it does not do so again at once. After the
   * last attempt it is parked without a run. If it only waited for its turn, nothing is counted.
   */
  async #recover(job: BullmqJob, token: string): Promise<void> {
    const stalls = job.stalledCounter;
    const { idleAt: _, ...notes } = notesOf(job);
    if (diedIdle(job)) {
      await job.updateProgress({ ...notes, stallsBefore: notes.stallsBefore + 1, stallsPaused: stalls });
      return;
    }
    const { failed, of } = progressOf(job);
    if (failed >= of) throw await this.#parked(job, token, { message: "its worker died or froze while it ran" }, of);
    await job.updateProgress({ ...notes, stallsPaused: stalls });
    await job.moveToDelayed(Date.now() + backoffAfter(failed, this.#backend.settings.retry), token);
    throw new MovedJob();
  }

  /**
   * Waits for the job's turn. Notes on the job that it waits, so that a crash meanwhile is not counted as its attempt. A job that
   * crashed before also gets a note when it starts.
   */
  async #turn(job: BullmqJob, token: string): Promise<void> {
    const progress = progressOf(job);
    const stalls = job.stalledCounter ?? 0;
    const turn = this.#turns.enter(mustRunAlone(progress));
    if (turn === undefined && progress.crashed === 0) return;
    const { idleAt: _, ...notes } = notesOf(job);
    try {
      if (turn !== undefined) await Promise.all([turn, job.updateProgress({ ...notes, idleAt: stalls })]);
      await job.updateProgress(progress.crashed === 0 ? notes : { ...notes, startedAt: stalls });
      // It may have been given back meanwhile.
      if (!this.#running.has(token)) throw new MovedJob();
    } catch (error) {
      Promise.resolve(turn).then(() => this.#turns.leave());
      throw error;
    }
  }

  /** Notes on the job how many attempts were made, unless the lock is lost: it is then the job of another worker. */
  async #parked(job: BullmqJob, token: string, failure: InboxFailure, attempts: number): Promise<ParkedRun> {
    const stalls = job.stalledCounter ?? 0;
    try {
      const held = await job.extendLock(token, this.#backend.settings.lockMs);
      if (held) await job.updateProgress({ ...notesOf(job), stallsBefore: stalls, stallsPaused: stalls, attempts });
    } catch (error) {
      this.#options.onError(withoutCommand(error));
    }
    return new ParkedRun(failure, attempts);
  }

  /** BullMQ reports every failed run; only a parked job has `finishedOn`. */
  #report(job: BullmqJob | undefined, error: Error): void {
    if (job?.finishedOn === undefined) return;
    const { failure, attempts } =
      error instanceof ParkedRun ? error : { failure: failureOf(error), attempts: progressOf(job).failed };
    this.#options.onParked({ key: keyOf(job), type: job.name, attempts, error: failure });
  }

  async #end(timeoutMs: number): Promise<void> {
    const closed = this.#worker.close();
    const timer = setTimeout(() => void this.#giveBack(), timeoutMs);
    try {
      await withTimeout(closed, timeoutMs + END_MS);
    } catch {
      // Redis is away: the locks of the jobs that still run expire.
      if (!isClient(this.#backend.settings.connection)) this.#worker.disconnect().catch(() => {});
    } finally {
      clearTimeout(timer);
      this.#endConnection();
    }
  }

  /** Moves each running job back to the head of the waiting ones, which costs it no attempt. Its late result no longer counts. */
  async #giveBack(): Promise<void> {
    this.#endConnection();
    const runs = [...this.#running];
    await Promise.all(
      runs.map(async ([token, { job, leave }]) => {
        leave(await this.#moveToWait(job, token));
      }),
    );
  }

  async #moveToWait(job: BullmqJob, token: string): Promise<MovedJob> {
    await job.moveToWait(token).catch((error: unknown) => this.#options.onError(withoutCommand(error)));
    return new MovedJob();
  }
}

/** An error of BullMQ, without the command that failed. Where it could not read a job, its text shows a part of the payload. */
function withoutContent(error: Error): Error {
  if (error.name !== "SyntaxError") return withoutCommand(error);
  return new WebhookError("inbox_message_invalid", "a message of the inbox is not JSON");
}

/** BullMQ's Worker refuses such a client, too, but in version 5 it then fails once more in the background. */
function checkClient(connection: object): void {
  const { options } = connection as { options?: { maxRetriesPerRequest?: unknown; redisOptions?: object } };
  const { maxRetriesPerRequest } = (options?.redisOptions ?? options ?? {}) as { maxRetriesPerRequest?: unknown };
  if (isClient(connection) && maxRetriesPerRequest)
    throw checks.invalid("connection", "must have maxRetriesPerRequest: null, or BullMQ refuses it for a worker");
}
