import { WebhookError } from "../errors.ts";

/** A store failure, by what PostgreSQL or its client threw. */
export function failure(task: string, thrown: unknown): WebhookError {
  if (thrown instanceof WebhookError) return thrown;
  const message = `PostgreSQL could not ${task}: ${messageOf(thrown)}`;
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

/** An ECONNREFUSED on several addresses has a code only. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "the client rejected with something that is no error";
  return thrown.message || String(sqlState(thrown) ?? thrown.name);
}
