import type { Reply } from "../delivery.ts";
import type { AcceptedOutcome } from "./outcome.ts";
import { replyToSettled } from "./reply.ts";

/**
 * For adapters: settles an accepted event by the status that the app answers. Only a 2xx is a promise to the provider;
 * anything else makes it retry.
 *
 * @returns the reply that must take the place of the app's own 2xx, or `undefined` where the app's answer stands
 */
export async function settleByStatus(outcome: AcceptedOutcome, status: number): Promise<Reply | undefined> {
  const promised = isSuccess(status);
  const settled = await outcome.settle(promised ? "processed" : "failed", { status });
  return promised ? replyToSettled(settled) : undefined;
}

/** Whether a status is a promise to the provider. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
