import type { InboxStats } from "../inbox.ts";
import type { Database } from "./database.ts";
import type { Queues } from "./queues.ts";
import { arrayOf, type JobStatements } from "./sql.ts";

/** A count that took longer, in milliseconds, is used again. */
const CHEAP_MS = 20;
/** For how many times as long as it took: so counting takes at most a fiftieth of the time. */
const REUSE = 50;

/** Counts the jobs, and counts seldom where there are very many. */
export class Stats {
  readonly #database: Database;
  readonly #queues: Queues;
  #counted: { readonly stats: Promise<InboxStats>; until: number } | undefined;

  constructor(database: Database, queues: Queues) {
    this.#database = database;
    this.#queues = queues;
  }

  async read(sql: JobStatements): Promise<InboxStats> {
    const startedAt = performance.now();
    if (this.#counted !== undefined && startedAt < this.#counted.until) return this.#counted.stats;
    const counted = { stats: this.#count(sql), until: Number.POSITIVE_INFINITY };
    this.#counted = counted;
    try {
      return await counted.stats;
    } finally {
      const tookMs = performance.now() - startedAt;
      counted.until = tookMs > CHEAP_MS ? startedAt + REUSE * tookMs : 0;
    }
  }

  async #count(sql: JobStatements): Promise<InboxStats> {
    const worked = arrayOf(this.#queues.worked);
    const queued = await this.#database.query(sql.queued, [worked]);
    const [active] = await this.#database.query(sql.active, [worked]);
    const [parked] = await this.#database.query(sql.parkedCount, [this.#queues.parked]);
    const waiting = queued.find(({ delayed }) => delayed === false);
    const delayed = queued.find((row) => row.delayed === true);
    return {
      waiting: Number(waiting?.count ?? 0),
      delayed: Number(delayed?.count ?? 0),
      active: Number(active?.count ?? 0),
      parked: Number(parked?.count ?? 0),
      oldestWaitingMs: Math.max(0, Math.round(Number(waiting?.oldest_ms ?? 0))),
    };
  }
}
