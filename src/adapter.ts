/**
 * What an adapter of your own needs: to read the body, to make the reply, and to settle by the status of the answer.
 *
 * @example
 * import type { Receiver } from "bluum-webhooks";
 * import { type Delivery, replyTo, settleByStatus } from "bluum-webhooks/adapter";
 *
 * async function receive(receiver: Receiver, delivery: Delivery, run: () => Promise<number>) {
 *   const outcome = await receiver.receive(delivery);
 *   if (outcome.kind !== "accepted") return replyTo(outcome);
 *   const status = await run();
 *   await settleByStatus(outcome, status);
 *   return { status, headers: {}, body: "" };
 * }
 *
 * @module bluum-webhooks/adapter
 */

export { BodyBuffer } from "./body.ts";
export type { BodyLimits, BodyReader, Delivery, DeliveryHeaders, Reply } from "./delivery.ts";
export { isBytes } from "./delivery.ts";
export {
  bodyAlreadyParsed,
  bodyIncomplete,
  bodyTimedOut,
  bodyTooLarge,
  middlewareMissing,
  rethrowable,
  WebhookError,
} from "./errors.ts";
export { middlewareReceiverOf, receiverOf } from "./pipeline/receiver-of.ts";
export { isSuccess, refusal, replyTo, settleByStatus } from "./pipeline/reply.ts";
export { diagnosis } from "./schemes/diagnosis.ts";
