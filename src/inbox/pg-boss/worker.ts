import { sleep, withTimeout } from "../../async.ts";
import { sqlState } from "../../stores/postgres/errors.ts";
import { failureOf, isParkEvent } from "../failure.ts";
import type { InboxWorker, ProcessMessage, WorkOptions } from "../inbox.ts";
import { Signal } from "../signal.ts";
import type { Turns } from "../turns.ts";
import { workSettings } from "../work-settings.ts";
import type { BossDb, PgBoss } from "./boss.ts";
import type { Database } from "./database.ts";
import { type FetchedJob, fetchedJob, messageOf } from "./job.ts";
import type { Locks } from "./locks.ts";
import type { InboxSettings } from "./options.ts";
import type { Queues } from "./queues.ts";
import { type Failed, hasCrashed, type Settlement } from "./settle.ts";

/** What a worker works with, once the queues are there. */
export interface Engine {
  readonly boss: PgBoss;
  readonly database: Database;
  readonly queues: Queues;
  readonly settings: InboxSettings;
  readonly locks: Locks;
  readonly settlement: Settlement;
  readonly turns: Turns;
}

/** One attempt at work. */
interface Run {
  job: FetchedJob;
  /** Whether nothing else may run beside it. Until its turn, its job is counted as not started. */
  readonly alone: boolean;
  /** While its retry count changes, a renewal may miss it. */
  isRecounted: boolean;
  /** When its turn came, by `performance.now()`; undefined while it waits for it. */
  startedAt: number | undefined;
  /** Whether another worker has the job, or it was given back: then the result must not touch it. */
  lost: boolean;
}

/** The pauses while the database is away, in milliseconds. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const LONGEST_SETTLE_PAUSE_MS = 5_000;
/** How long a fetch may take, in milliseconds. */
const FETCH_TIMEOUT_MS = 30_000;
/** When it has ended for certain: a connection without an answer is closed before. */
const FETCH_ENDS_MS = 120_000;
/** The search for dead workers takes this part of the time, but waits for a lock at most: pg-boss 10 has no index for it. */
const SEARCH_SHARE = 1 / 50;
const UNIQUE_VIOLATION = "23505";

/** Takes jobs, runs them and settles them, until it is closed. */
export class PgBossWorker implements InboxWorker {
  readonly #prepared: () => Promise<Engine>;
  readonly #process: ProcessMessage;
  readonly #options: Required<WorkOptions>;
  readonly #runs = new Map<Run, Promise<void>>();
  readonly #wake = new Signal();
  readonly #closed = new Signal();
  readonly #lockMs: number;
  readonly #taking: Promise<void>;
  readonly #ticker: NodeJS.Timeout;
  #engine: Engine | undefined;
  #isTicking = false;
  #nextSearchAt = 0;
  #closing: Promise<void> | undefined;

  constructor(prepared: () => Promise<Engine>, lockMs: number, process: ProcessMessage, options: WorkOptions) {
    this.#prepared = prepared;
    this.#lockMs = lockMs;
    this.#process = process;
    this.#options = workSettings("pgBossInbox.work", options);
    this.#ticker = setInterval(() => void this.#tick(), lockMs / 4);
    this.#taking = this.#take();
  }

  /** Looks for jobs at once. */
  wake(): void {
    this.#wake.notify();
  }

  close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#wake.notify();
    this.#closed.notify();
    const ended = this.#taking.then(() => Promise.all(this.#runs.values()));
    await withTimeout(ended, timeoutMs).catch(() => {});
    clearInterval(this.#ticker);
    await this.#giveBack([...this.#runs.keys()].filter(({ lost }) => !lost));
  }

  async #giveBack(runs: readonly Run[]): Promise<void> {
    for (const run of runs) run.lost = true;
    if (runs.length === 0 || this.#engine === undefined) return;
    await this.#engine.locks.giveBack(runs.map(({ job }) => job)).catch(this.#options.onError);
  }

  async #take(): Promise<void> {
    let pauseMs = 0;
    while (this.#closing === undefined) {
      try {
        this.#engine ??= await this.#prepared();
        await this.#takeOnce(this.#engine);
        pauseMs = 0;
      } catch (error) {
        this.#options.onError(error);
        pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * pauseMs));
        await this.#closed.wait(pauseMs);
      }
    }
  }

  async #takeOnce(engine: Engine): Promise<void> {
    const { concurrency, pollMs } = this.#options;
    let taken = 0;
    for (const queue of engine.queues.worked) {
      const free = concurrency - this.#runs.size;
      if (free <= 0 || this.#closing !== undefined) break;
      const runs = await this.#fetch(engine, queue, free);
      taken += runs.length;
      if (this.#closing !== undefined) await this.#giveBack(runs);
      else for (const run of runs) this.#begin(engine, run);
    }
    if (taken === 0 || this.#runs.size >= concurrency) await this.#wake.wait(pollMs);
  }

  /** Jobs that come too late are given back: nobody runs them. */
  async #fetch(engine: Engine, queue: string, batchSize: number): Promise<Run[]> {
    const fetching = fetchFrom(engine, queue, batchSize);
    return withTimeout(fetching, FETCH_TIMEOUT_MS).catch((error: unknown) => {
      fetching.then((runs) => this.#giveBack(runs)).catch(() => {});
      throw error;
    });
  }

  #begin(engine: Engine, run: Run): void {
    const done = this.#run(engine, run).finally(() => {
      this.#runs.delete(run);
      this.#wake.notify();
    });
    this.#runs.set(run, done);
  }

  /** Never rejects. It is settled within its turn: the next one may end the process. */
  #run(engine: Engine, run: Run): Promise<void> {
    return engine.turns.run(run.alone, async () => {
      run.startedAt = performance.now();
      if (run.alone && !run.lost) await this.#countAsStarted(engine.locks, run);
      if (this.#closing !== undefined && !run.lost) await this.#giveBack([run]);
      if (!run.lost) await this.#settle(engine, run, await this.#failureOf(engine.settings, run.job));
    });
  }

  async #settle(engine: Engine, run: Run, failed: Failed | undefined): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !run.lost; pauseMs = Math.min(LONGEST_SETTLE_PAUSE_MS, 2 * pauseMs)) {
      try {
        await (failed === undefined ? engine.settlement.complete(run.job) : this.#fail(engine, run.job, failed));
        return;
      } catch (error) {
        this.#options.onError(error);
        await sleep(pauseMs, { unref: true });
      }
    }
  }

  /** Never rejects. */
  async #countAsStarted(locks: Locks, run: Run): Promise<void> {
    run.isRecounted = true;
    try {
      const job = await locks.recount(run.job, 1);
      if (job === undefined) run.lost = true;
      else run.job = job;
    } catch (error) {
      // It comes back once its lock has expired.
      run.lost = true;
      this.#options.onError(error);
    } finally {
      run.isRecounted = false;
    }
  }

  async #failureOf({ retry }: InboxSettings, { data, retryCount }: FetchedJob): Promise<Failed | undefined> {
    try {
      await this.#process(messageOf(data), { number: retryCount + 1, of: retry.attempts });
      return undefined;
    } catch (thrown) {
      return { error: failureOf(thrown), parks: isParkEvent(thrown), expiredLockMs: 0 };
    }
  }

  async #fail({ settlement }: Engine, job: FetchedJob, failed: Failed): Promise<void> {
    const parked = await settlement.fail(job, failed);
    if (parked !== undefined) this.#options.onParked(parked);
  }

  /** Renews the locks of this worker, and looks for expired ones of others. Never rejects. */
  async #tick(): Promise<void> {
    if (this.#isTicking || this.#engine === undefined) return;
    this.#isTicking = true;
    try {
      await this.#renew(this.#engine);
      if (performance.now() >= this.#nextSearchAt && this.#closing === undefined) await this.#takeOver(this.#engine);
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isTicking = false;
    }
  }

  async #renew({ locks }: Engine): Promise<void> {
    // A run that hangs beyond its time is not renewed any more, so that another worker gets its job.
    const now = performance.now();
    const oldest = now - this.#options.maxProcessingMs - this.#lockMs;
    const runs = [...this.#runs.keys()].filter(({ lost, startedAt = now }) => !lost && startedAt > oldest);
    if (runs.length === 0) return;
    const jobs = runs.map(({ job }) => job);
    const renewed = await locks.renew(jobs);
    for (const [i, run] of runs.entries()) {
      if (!renewed.has(run.job.id) && run.job === jobs[i] && !run.isRecounted) run.lost = true;
    }
  }

  /** Counts the attempts of dead workers as failed. */
  async #takeOver(engine: Engine): Promise<void> {
    const startedAt = performance.now();
    const jobs = await engine.locks.expired(engine.queues.worked);
    const tookMs = performance.now() - startedAt;
    this.#nextSearchAt = startedAt + Math.min(tookMs / SEARCH_SHARE, this.#lockMs);
    const error = { message: "the worker of this attempt ended, or gave no sign of life for too long" };
    for (const job of jobs) await this.#fail(engine, job, { error, parks: false, expiredLockMs: this.#lockMs });
  }
}

function runOf(job: FetchedJob, alone: boolean): Run {
  return { job, alone, isRecounted: false, startedAt: undefined, lost: false };
}

/** Its last attempt, if an earlier one has ended with its process: see `Turns`. */
function mustRunAlone(job: FetchedJob, { settings }: Engine): boolean {
  return hasCrashed(job) && job.retryCount + 1 >= settings.retry.attempts;
}

/**
 * Fetches jobs. A last attempt that must run alone is counted as not started in the same transaction: until its turn, another attempt
 * may end the process. Unlike the `fetch` of pg-boss 10 this fails where the database does, instead of finding no job.
 */
async function fetchFrom(engine: Engine, queue: string, batchSize: number): Promise<Run[]> {
  let failure: unknown;
  try {
    return await engine.database.transaction(async ({ db, query }) => {
      const watched: BossDb = {
        executeSql: (text, values) =>
          db.executeSql(text, values).catch((error: unknown) => {
            failure = error;
            throw error;
          }),
      };
      const rows = await engine.boss.fetch(queue, { batchSize, includeMetadata: true, db: watched });
      if (failure !== undefined) throw failure;
      const runs: Run[] = [];
      for (const job of rows.map((row) => fetchedJob(row as never))) {
        const alone = mustRunAlone(job, engine);
        const counted = alone ? await engine.locks.recount(job, -1, query) : job;
        if (counted !== undefined) runs.push(runOf(counted, alone));
      }
      return runs;
    }, FETCH_ENDS_MS);
  } catch (error) {
    // Another worker has taken the job at the same time.
    if (sqlState(failure) === UNIQUE_VIOLATION) return [];
    throw error;
  }
}
