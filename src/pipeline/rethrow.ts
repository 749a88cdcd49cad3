import { WebhookError } from "../errors.ts";

/**
 * What an adapter rethrows after a failure, so that its framework is sure to answer one. Frameworks read a status from the
 * error, and `null` is no error at all to some: either could turn a failed event into a 2xx, or into no answer. Koa writes
 * the status back, too, and gives no answer where it cannot.
 */
export function rethrowable(thrown: unknown): Error {
  if (thrown instanceof Error && Object.isExtensible(thrown) && hasOnlyFailures(thrown)) return thrown;
  return new WebhookError("handler_failed", "a handler of a webhook event failed", { cause: thrown });
}

function hasOnlyFailures(error: Error): boolean {
  try {
    return ["status", "statusCode"].every((name) => {
      const status: unknown = Reflect.get(error, name);
      return status === undefined || (typeof status === "number" && status >= 400 && Reflect.set(error, name, status));
    });
  } catch {
    return false;
  }
}
