import { isError, WebhookError } from "../errors.ts";

/** A store failure, by what the backend or its client threw; what is a `WebhookError` already stays as it is. */
export function storeFailure(backend: string, task: string, thrown: unknown, cause: unknown = thrown): WebhookError {
  if (thrown instanceof WebhookError) return thrown;
  return new WebhookError("store_unavailable", `${backend} could not ${task}: ${messageOf(thrown)}`, { cause });
}

/** What a client's error says. An ECONNREFUSED on several addresses has a code only. */
export function messageOf(thrown: unknown): string {
  if (!isError(thrown)) return "the client rejected with something that is no error";
  return thrown.message || String((thrown as Error & { code?: unknown }).code ?? thrown.name);
}
