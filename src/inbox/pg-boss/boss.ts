/** The part of a started pg-boss, 10 to 12, that the inbox uses. */
export interface PgBoss {
  createQueue(name: string, options?: object): Promise<unknown>;
  updateQueue(name: string, options?: object): Promise<unknown>;
  send(name: string, data: object, options: object): Promise<string | null>;
  fetch(name: string, options: object): Promise<readonly object[]>;
  complete(name: string, id: string, data: object, options: object): Promise<unknown>;
  fail(name: string, id: string, data: object, options: object): Promise<unknown>;
  deleteJob(name: string, id: string[], options: object): Promise<unknown>;
  /** From 12 on. */
  redrive?(name: string, options: object): Promise<number>;
  /** From 12.38 on. */
  getInstances?(options?: object): Promise<unknown>;
  /** Up to 10. */
  archive?(): Promise<unknown>;
}

/** What pg-boss calls to run a statement: the `db` of its options. */
export interface BossDb {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Why the order of `orderBy` cannot be kept, or undefined if it can. pg-boss does not tell its version, only what it can do. */
export function orderProblem({ getInstances }: PgBoss): string | undefined {
  if (typeof getInstances === "function") return undefined;
  return "orderBy needs pg-boss 12.38 or later: its policy key_strict_fifo keeps the order of a key while an event of it is retried";
}

const YEAR_S = 365 * 24 * 60 * 60;
/** How long pg-boss keeps what waits or is parked: it takes no "for ever". */
const KEEP_YEARS = 10;
/** pg-boss takes a job from its worker after that, whatever happens. The inbox does so much earlier. */
const EXPIRE_S = 23 * 60 * 60;

/** The options of a queue whose waiting jobs pg-boss neither deletes nor archives. Version 10 counts in minutes, later ones in seconds. */
export function keepingJobs({ archive }: PgBoss): object {
  const seconds = KEEP_YEARS * YEAR_S;
  const retention = typeof archive === "function" ? { retentionMinutes: seconds / 60 } : { retentionSeconds: seconds };
  return { ...retention, expireInSeconds: EXPIRE_S };
}
