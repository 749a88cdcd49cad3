import { WebhookError } from "../errors.ts";

/**
 * What an adapter rethrows after a failure, so that its framework is sure to answer one. Frameworks read a status from the
 * error, and `null` is no error at all to some: either could turn a failed event into a 2xx, or into no answer.
 */
export function rethrowable(thrown: unknown): Error {
  if (thrown instanceof Error && failsAs(thrown)) return thrown;
  return new WebhookError("handler_failed", "a handler of a webhook event failed", { cause: thrown });
}

function failsAs(error: Error & { status?: unknown; statusCode?: unknown }): boolean {
  return [error.status, error.statusCode].every((status) => status === undefined || (typeof status === "number" && status >= 400));
}
