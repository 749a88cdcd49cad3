import { WebhookError } from "../../errors.ts";
import { storeFailure } from "../failure.ts";

/** A store failure, by what PostgreSQL or its client threw. */
export function failure(task: string, thrown: unknown): WebhookError {
  return storeFailure("PostgreSQL", task, thrown);
}

/** A mistake in how the store is made or used. */
export function invalid(subject: string, problem: string): WebhookError {
  return new WebhookError("configuration_invalid", `postgresStore: ${subject} ${problem}`);
}

/** The SQLSTATE of an error of PostgreSQL, by whatever client; or what a client puts in its place, as ECONNREFUSED. */
export function sqlState(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}
