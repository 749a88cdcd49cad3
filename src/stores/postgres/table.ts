import { sleep, withTimeout } from "../../async.ts";
import type { Ask } from "./client.ts";
import { failure, sqlState } from "./errors.ts";
import type { PostgresStatements, Statement } from "./sql.ts";

/** What makes the table of a store and keeps it small. */
export interface TableKeeper {
  /** Makes the table and its index where they are missing. */
  migrate(): Promise<void>;
  /** Deletes what has ended, in batches, and gives the number of rows. */
  purge(batch: number): Promise<number>;
  /** The same, unless another process is at it; ends early where it is stopped. */
  purgeInTurn(batch: number, stopped: () => boolean): Promise<number>;
}

/** How long one of its statements may take: they may have much to do, and nobody's delivery waits for them. */
export const MAINTENANCE_TIMEOUT_MS = 60_000;
const MIGRATION_TRIES = 50;
/** What CREATE … IF NOT EXISTS may say when several processes run it at once. */
const RACED: ReadonlySet<unknown> = new Set(["23505", "42P07", "42710", "40P01", "40001", "XX000"]);

/** The keeper of a table. What it throws is `store_unavailable`. */
export function tableKeeper(ask: Ask, sql: PostgresStatements): TableKeeper {
  async function migrateOnce(): Promise<void> {
    const [row] = await ask(sql.migrated, []);
    if (row?.there === true) return;
    for (const statement of sql.migration) await ask(statement, []);
  }

  async function purgeAll(statement: Statement, batch: number, stopped: () => boolean): Promise<number> {
    let total = 0;
    let from = "-infinity";
    try {
      for (let found = batch; found === batch && !stopped(); ) {
        const [row] = await withTimeout(ask(statement, [batch, from]), MAINTENANCE_TIMEOUT_MS);
        total += Number(row?.deleted ?? 0);
        found = Number(row?.found ?? 0);
        from = String(row?.until);
      }
    } catch (error) {
      throw failure("purge", error);
    }
    return total;
  }

  return {
    async migrate() {
      for (let tries = 1; ; tries += 1) {
        try {
          return await withTimeout(migrateOnce(), MAINTENANCE_TIMEOUT_MS);
        } catch (error) {
          if (tries === MIGRATION_TRIES || !RACED.has(sqlState(error))) throw failure("migrate", error);
          await sleep(tries * Math.random());
        }
      }
    },

    purge: (batch) => purgeAll(sql.purge, batch, () => false),
    purgeInTurn: (batch, stopped) => purgeAll(sql.purgeInTurn, batch, stopped),
  };
}
