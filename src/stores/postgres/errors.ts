import { WebhookError } from "../../errors.ts";
import { checksFor, type OptionChecks } from "../../options.ts";
import { messageOf, storeFailure } from "../backend/failure.ts";

const UNDEFINED_TABLE = "42P01";

/** The checks of options and arguments, whose errors name `postgresStore`. */
export const checks: OptionChecks = checksFor("postgresStore");

/** A store failure, made from an error of PostgreSQL or its client. If the table is missing, it says how to create it. */
export function failure(task: string, thrown: unknown): WebhookError {
  if (sqlState(thrown) !== UNDEFINED_TABLE) return storeFailure("PostgreSQL", task, thrown);
  const message = `PostgreSQL could not ${task}: ${messageOf(thrown)}; call store.migrate() at start-up`;
  return new WebhookError("store_unavailable", message, { cause: thrown });
}

/** The SQLSTATE of an error, or the client's own code, such as ECONNREFUSED. */
export function sqlState(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
