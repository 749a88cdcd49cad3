/** The entry point `bluum-webhooks/client`: manages the webhook endpoints that are registered with Bluum. */
export type { CallOptions } from "./api.ts";
export { type BluumClient, createBluumClient } from "./create-client.ts";
export type { EnsuredField, EnsuredWebhook, EnsureWebhook, HasPatterns } from "./ensure.ts";
export { BluumApiError, type BluumApiErrorCode, type BluumApiErrorDetails } from "./errors.ts";
export type { BluumEventType } from "./event-types.ts";
export type { CreateWebhook, UpdateWebhook } from "./input.ts";
export type { BluumClientOptions } from "./options.ts";
export type { BluumWebhook } from "./webhook.ts";
