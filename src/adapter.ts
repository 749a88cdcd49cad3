/** The door `bluum-webhooks/adapter`: what an adapter of your own needs. */
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
