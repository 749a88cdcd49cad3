/**
 * Receives webhooks of Bluum: verifies them on the raw bytes, parses them into typed events, and processes each event once.
 *
 * @example
 * import { createServer } from "node:http";
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumHandler } from "bluum-webhooks/node";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * receiver.on("order.filled", async (event) => console.log("filled at", event.data.average_price));
 *
 * createServer(bluumHandler(receiver)).listen(3000);
 *
 * @module bluum-webhooks
 */

export {
  type BluumAccount,
  type BluumCatalogue,
  type BluumDeposit,
  type BluumDocument,
  type BluumEventMap,
  type BluumKycVerification,
  type BluumOrder,
  type BluumTransfer,
  type BluumWithdrawal,
  type CatalogueEventType,
  KNOWN_EVENT_TYPES,
} from "./bluum/catalogue.ts";
export { BLUUM_RETRY_HORIZON_MS } from "./bluum/retry-schedule.ts";
export { bluumSignature } from "./bluum/signature.ts";
export type { BodyLimits, BodyReader, Delivery, DeliveryHeaders, HeaderLookup, Reply } from "./delivery.ts";
export type { RejectionCode, UsageCode, WebhookErrorCode, WebhookErrorDetails } from "./errors.ts";
export { WebhookError } from "./errors.ts";
export {
  type BluumEvent,
  type BluumEventBase,
  type EventOf,
  isKnownEvent,
  type KnownEvent,
  type KnownEventType,
  type OutsideCatalogue,
  type UnknownEvent,
} from "./events/event.ts";
export type { KnownPattern, Pattern } from "./events/pattern.ts";
export { ParkEvent } from "./inbox/failure.ts";
export type {
  AddOptions,
  Inbox,
  InboxAttempt,
  InboxFailure,
  InboxStats,
  InboxWorker,
  ParkedEvent,
  ParkedNotice,
  ParkedPage,
  ParkedQuery,
  ParkedSelection,
  ProcessMessage,
  WorkOptions,
} from "./inbox/inbox.ts";
export type { InboxMessage } from "./inbox/message.ts";
export type { EventIdOption, VerifiedDelivery } from "./pipeline/identity.ts";
export type { Logger } from "./pipeline/log.ts";
export type { OrderByOption, ReceiverOptions } from "./pipeline/options.ts";
export type {
  AcceptedOutcome,
  DeliveryContext,
  DuplicateOutcome,
  IdentifiedBy,
  InFlightOutcome,
  Outcome,
  PingOutcome,
  RejectedOutcome,
  SettleAs,
  SettleDetail,
  Settled,
} from "./pipeline/outcome.ts";
export { type EventTypeOption, parseEvent, type VerifiedPayload } from "./pipeline/parse.ts";
export { createReceiver } from "./pipeline/receiver.ts";
export type { Receiver } from "./pipeline/receiver-api.ts";
export type { DeliveryReport } from "./pipeline/report.ts";
export type { Secrets, SecretsOption } from "./pipeline/secrets.ts";
export type { ByteEncoding } from "./schemes/encoding.ts";
export { type HmacSignatureOptions, hmacSignature } from "./schemes/hmac.ts";
export type { HmacAlgorithm } from "./schemes/mac.ts";
export type { MessageToSign, SignatureScheme, Verified } from "./schemes/scheme.ts";
export type { SecretEncoding } from "./schemes/secret.ts";
export { type StandardWebhooksOptions, standardWebhooksSignature } from "./schemes/standard-webhooks.ts";
export { type TimestampedSignatureOptions, timestampedSignature } from "./schemes/timestamped.ts";
export { type MemoryStoreOptions, memoryStore } from "./stores/memory.ts";
export type { ClaimBy, ClaimResult, CompleteBy, CompleteResult, DedupeStore } from "./stores/store.ts";
export type {
  HandlerRun,
  InboxCounts,
  ReceiverTelemetry,
  ReceivingTelemetry,
  Telemetry,
  TelemetryInbox,
  TelemetryReport,
  TelemetrySource,
} from "./telemetry/telemetry.ts";
