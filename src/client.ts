/** The door `bluum-webhooks/client`: managing the provider's webhook endpoints. */
export type { CallOptions } from "./client/api.ts";
export { type BluumClient, createBluumClient } from "./client/create-client.ts";
export type { EnsuredField, EnsuredWebhook, EnsureWebhook, HasPatterns } from "./client/ensure.ts";
export { BluumApiError, type BluumApiErrorCode, type BluumApiErrorDetails } from "./client/errors.ts";
export type { BluumEventType } from "./client/event-types.ts";
export type { CreateWebhook, UpdateWebhook } from "./client/input.ts";
export type { BluumClientOptions } from "./client/options.ts";
export type { BluumWebhook } from "./client/webhook.ts";
