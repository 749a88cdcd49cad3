import type { Row } from "../../stores/postgres/client.ts";
import { type Database, SCAN_MS, type Session } from "./database.ts";
import { type FetchedJob, fetchedJob } from "./job.ts";
import { arrayOf, type JobStatements } from "./sql.ts";

/** The locks of the attempts at work: a dead worker renews none. */
export class Locks {
  readonly #database: Database;
  readonly #sql: JobStatements;
  readonly #lockMs: number;

  constructor(database: Database, sql: JobStatements, lockMs: number) {
    this.#database = database;
    this.#sql = sql;
    this.#lockMs = lockMs;
  }

  /**
   * Renews the locks of attempts.
   *
   * @returns the ids of those that still count
   */
  async renew(jobs: readonly FetchedJob[]): Promise<ReadonlySet<string>> {
    const rows = await this.#forEachQueue(this.#sql.renew, jobs);
    return new Set(rows.map(({ id }) => String(id)));
  }

  /**
   * Counts an attempt that waits for its turn as not started, or as started again.
   *
   * @param query in which transaction. @default in one of its own
   * @returns the attempt as it is counted now; undefined if it is over
   */
  async recount(
    job: FetchedJob,
    by: -1 | 1,
    query: Session["query"] = this.#database.query.bind(this.#database),
  ): Promise<FetchedJob | undefined> {
    const { queue, id, retryCount } = job;
    const rows = await query(this.#sql.recount, [queue, id, retryCount, by]);
    return rows.length === 0 ? undefined : { ...job, retryCount: retryCount + by };
  }

  /** Makes jobs wait again at once; the attempt does not count. */
  async giveBack(jobs: readonly FetchedJob[]): Promise<void> {
    await this.#forEachQueue(this.#sql.giveBack, jobs);
  }

  /** Some of the jobs whose worker gave no sign of life for a lock. */
  async expired(queues: readonly string[]): Promise<FetchedJob[]> {
    const rows = await this.#database.query(this.#sql.expired, [arrayOf(queues), this.#lockMs], SCAN_MS);
    return rows.map(fetchedJob);
  }

  async #forEachQueue(statement: string, jobs: readonly FetchedJob[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (const queue of new Set(jobs.map((job) => job.queue))) {
      const own = jobs.filter((job) => job.queue === queue);
      const ids = arrayOf(own.map(({ id }) => id));
      const attempts = arrayOf(own.map(({ id, retryCount }) => `${id}:${retryCount}`));
      rows.push(...(await this.#database.query(statement, [queue, ids, attempts])));
    }
    return rows;
  }
}
