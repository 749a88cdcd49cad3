import { sleep, withTimeout } from "../../async.ts";
import type { Ask } from "./client.ts";
import { failure, sqlState } from "./errors.ts";
import type { PostgresStatements } from "./sql.ts";

/** How long one statement of a migration or a purge may take. No delivery waits for it. */
export const MAINTENANCE_TIMEOUT_MS = 60_000;
const MAX_TRIES = 50;
/** SQLSTATEs of CREATE … IF NOT EXISTS when several processes run it at once. */
const RACED: ReadonlySet<unknown> = new Set(["23505", "42P07", "42710", "40P01", "40001", "XX000"]);

/**
 * Creates the table and its index if they are missing.
 *
 * @throws WebhookError `store_unavailable`
 */
export async function migrate(ask: Ask, sql: PostgresStatements): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await withTimeout(migrateOnce(ask, sql), MAINTENANCE_TIMEOUT_MS);
    } catch (error) {
      if (tries === MAX_TRIES || !RACED.has(sqlState(error))) throw failure("migrate", error);
      await sleep(tries * Math.random());
    }
  }
}

async function migrateOnce(ask: Ask, sql: PostgresStatements): Promise<void> {
  const [row] = await ask(sql.migrated, sql.names);
  if (row?.exists_already === true) return;
  for (const statement of sql.migration) await ask(statement, []);
}
