import { isError, WebhookError } from "../../errors.ts";

/** A store failure, from an error of the backend or its client. A `WebhookError` stays as it is. */
export function storeFailure(backend: string, task: string, thrown: unknown, cause: unknown = thrown): WebhookError {
  if (thrown instanceof WebhookError) return thrown;
  return new WebhookError("store_unavailable", `${backend} could not ${task}: ${messageOf(thrown)}`, { cause });
}

/** The message of a client's error, or its code: an ECONNREFUSED on several addresses has no message. */
export function messageOf(thrown: unknown): string {
  if (!isError(thrown)) return "the client rejected with a value that is not an error";
  return thrown.message || String((thrown as Error & { code?: unknown }).code ?? thrown.name);
}
