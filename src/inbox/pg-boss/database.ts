import { withTimeout } from "../../async.ts";
import { type Ask, askerFor, type PostgresClient, type PostgresValue, type Row } from "../../stores/postgres/client.ts";
import { inTransaction } from "../../stores/postgres/transaction.ts";
import type { BossDb } from "./boss.ts";
import type { InboxPool } from "./options.ts";

/** How long a statement or transaction may take, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** When a pool closes a connection that does not answer, in milliseconds. */
const ABANDON_AFTER_MS = 60_000;
/** How long a statement may take that reads all jobs, in milliseconds. */
export const SCAN_MS = 60_000;

/** One client, for statements of the inbox and for those of pg-boss. */
export interface Session {
  query(text: string, values: readonly PostgresValue[]): Promise<readonly Row[]>;
  /** The `db` to hand to pg-boss. */
  readonly db: BossDb;
}

/** The database of pg-boss, through the pool of the app. Nothing waits for it without end. */
export class Database {
  readonly #pool: InboxPool;
  readonly #session: Session;

  constructor(pool: InboxPool) {
    this.#pool = pool;
    this.#session = sessionOn(pool);
  }

  query(text: string, values: readonly PostgresValue[], timeoutMs: number = TIMEOUT_MS): Promise<readonly Row[]> {
    return withTimeout(this.#session.query(text, values), timeoutMs);
  }

  /** Runs `work` in one transaction: committed once it resolves, rolled back if anything fails. */
  transaction<Result>(work: (session: Session) => Promise<Result>, timeoutMs: number = TIMEOUT_MS): Promise<Result> {
    const inside = (client: PostgresClient) => work(sessionOn(client));
    return withTimeout(
      inTransaction<Result>(this.#pool, async () => {}, inside),
      timeoutMs,
    );
  }
}

function sessionOn(client: PostgresClient): Session {
  const ask: Ask = askerFor(client, { prepare: false, abandonAfterMs: ABANDON_AFTER_MS });
  const query = (text: string, values: readonly PostgresValue[]) => ask({ name: "", text }, values);
  return {
    query,
    // The values of pg-boss may be of any type that `pg` can send.
    db: { executeSql: async (text, values = []) => ({ rows: [...(await query(text, values as PostgresValue[]))] }) },
  };
}
