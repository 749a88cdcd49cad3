import { WebhookError } from "../../errors.ts";
import { messageOf, storeFailure } from "../failure.ts";

const UNDEFINED_TABLE = "42P01";

/** A store failure, by what PostgreSQL or its client threw. Where the table is missing, it says how to make it. */
export function failure(task: string, thrown: unknown): WebhookError {
  if (sqlState(thrown) !== UNDEFINED_TABLE) return storeFailure("PostgreSQL", task, thrown);
  const message = `PostgreSQL could not ${task}: ${messageOf(thrown)}; call store.migrate() at start-up`;
  return new WebhookError("store_unavailable", message, { cause: thrown });
}

/** A mistake in how the store is made or used. */
export function invalid(subject: string, problem: string): WebhookError {
  return new WebhookError("configuration_invalid", `postgresStore: ${subject} ${problem}`);
}

/** The SQLSTATE of an error of PostgreSQL, by whatever client; or what a client puts in its place, as ECONNREFUSED. */
export function sqlState(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
