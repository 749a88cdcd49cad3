import type { InboxStats } from "../inbox.ts";
import { type Database, SCAN_MS } from "./database.ts";
import type { Queues } from "./queues.ts";
import { arrayOf, type JobStatements } from "./sql.ts";

/** Beyond so many jobs counting is expensive: its result is used again. */
const MANY_JOBS = 10_000;
/** For how many times as long as it took: so counting takes at most a fiftieth of the time. */
const REUSE = 50;
/** And for how long at most, in milliseconds. */
const MAX_AGE_MS = 15_000;

/** Counts the jobs, and counts seldom where there are very many. */
export class Stats {
  readonly #database: Database;
  readonly #queues: Queues;
  #counted: { readonly stats: Promise<InboxStats>; until: number } | undefined;

  constructor(database: Database, queues: Queues) {
    this.#database = database;
    this.#queues = queues;
  }

  /** The counts. Where they are expensive, those of a moment ago. */
  async read(sql: JobStatements): Promise<InboxStats> {
    const startedAt = performance.now();
    if (this.#counted !== undefined && startedAt < this.#counted.until) return this.#counted.stats;
    const counted = { stats: this.#count(sql), until: Number.POSITIVE_INFINITY };
    this.#counted = counted;
    try {
      const { waiting, delayed, active, parked } = await counted.stats;
      const tookMs = performance.now() - startedAt;
      const isExpensive = waiting + delayed + active + parked > MANY_JOBS;
      counted.until = isExpensive ? startedAt + Math.min(REUSE * tookMs, MAX_AGE_MS) : 0;
    } catch {
      counted.until = 0;
    }
    return counted.stats;
  }

  /** In one statement, so that no job is missed on its way from one state to another. */
  async #count(sql: JobStatements): Promise<InboxStats> {
    const { worked, parked } = this.#queues;
    const rows = await this.#database.query(sql.counts, [arrayOf(worked), parked], SCAN_MS);
    const row = (kind: string) => rows.find((one) => one.kind === kind);
    const count = (kind: string) => Number(row(kind)?.count ?? 0);
    return {
      waiting: count("waiting"),
      delayed: count("delayed"),
      active: count("active"),
      parked: count("parked"),
      oldestWaitingMs: Math.max(0, Math.round(Number(row("waiting")?.oldest_ms ?? 0))),
    };
  }
}
