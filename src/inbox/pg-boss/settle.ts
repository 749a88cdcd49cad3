import type { InboxFailure, ParkedNotice } from "../inbox.ts";
import { backoffAfter, type RetryOptions } from "../retry.ts";
import type { PgBoss } from "./boss.ts";
import type { Database } from "./database.ts";
import { type FetchedJob, keyOf, storable, typeOf } from "./job.ts";
import type { JobStatements } from "./sql.ts";

/** How an attempt failed. */
export interface Failed {
  readonly error: InboxFailure;
  /** Whether to park it, whatever attempts are left. */
  readonly parks: boolean;
  /** Only if the lock of its worker expired, in milliseconds; 0 for the worker itself. */
  readonly expiredLockMs: number;
}

/** What is stored with a failed attempt. pg-boss keeps it as the output of the job, and copies it when it is parked. */
export interface AttemptOutput extends InboxFailure {
  readonly key: string;
  readonly type: string;
  readonly attempts: number;
  /** Whether this attempt or an earlier one ended with its process. */
  readonly crashed: boolean;
}

/**
 * Settles attempts, each in one transaction that first checks that the attempt still counts: pg-boss before 12 does not, and would let
 * a worker that was away for long settle the attempt of another one.
 */
export class Settlement {
  readonly #boss: PgBoss;
  readonly #database: Database;
  readonly #sql: JobStatements;
  readonly #retry: Required<RetryOptions>;

  constructor(boss: PgBoss, database: Database, sql: JobStatements, retry: Required<RetryOptions>) {
    this.#boss = boss;
    this.#database = database;
    this.#sql = sql;
    this.#retry = retry;
  }

  /** The job succeeded. */
  complete({ queue, id, retryCount }: FetchedJob): Promise<void> {
    return this.#database.transaction(async ({ query, db }) => {
      const rows = await query(this.#sql.lock, [queue, id, retryCount]);
      if (rows.length > 0) await this.#boss.complete(queue, id, {}, { db });
    });
  }

  /**
   * The attempt failed: the job waits for the next one, or is parked.
   *
   * @returns what was parked, if anything was
   */
  fail(job: FetchedJob, { error, parks, expiredLockMs }: Failed): Promise<ParkedNotice | undefined> {
    const { queue, id, retryCount } = job;
    const attempts = retryCount + 1;
    const park = parks || attempts >= this.#retry.attempts;
    const output = outputOf(job, error, expiredLockMs > 0);
    return this.#database.transaction(async ({ query, db }) => {
      const limit = park ? retryCount : attempts;
      const rows = await query(this.#sql.limit, [queue, id, retryCount, limit, expiredLockMs]);
      if (rows.length === 0) return undefined;
      // At its retry limit pg-boss copies the job to the queue of parked jobs, else it makes it wait.
      await this.#boss.fail(queue, id, output, { db });
      if (!park) {
        await query(this.#sql.delay, [queue, id, backoffAfter(attempts, this.#retry)]);
        return undefined;
      }
      // What is left is a failed job, behind which its ordering key would wait for ever.
      await this.#boss.deleteJob(queue, [id], { db });
      const { key, type } = output;
      return { key, type, attempts, error };
    });
  }
}

/** Whether an earlier attempt ended with its process. */
export function hasCrashed({ output }: FetchedJob): boolean {
  return (Object(output) as Partial<AttemptOutput>).crashed === true;
}

function outputOf(job: FetchedJob, { message, stack }: InboxFailure, crashed: boolean): AttemptOutput {
  const told = {
    key: storable(keyOf(job)),
    type: storable(typeOf(job)),
    attempts: job.retryCount + 1,
    crashed: crashed || hasCrashed(job),
    message: storable(message),
  };
  return stack === undefined ? told : { ...told, stack: storable(stack) };
}
