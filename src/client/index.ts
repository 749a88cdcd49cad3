/**
 * Manages the webhook endpoints that are registered with Bluum.
 *
 * @example
 * import { createBluumClient } from "bluum-webhooks/client";
 *
 * const client = createBluumClient({ baseUrl: "sandbox" }); // BLUUM_API_KEY and BLUUM_API_SECRET from the environment
 * for (const { id, url } of await client.webhooks.list()) console.log(id, url);
 *
 * @module bluum-webhooks/client
 */

export type { CallOptions } from "./api.ts";
export { type BluumClient, createBluumClient } from "./create-client.ts";
export type { EnsuredField, EnsuredWebhook, EnsureWebhook, HasPatterns } from "./ensure.ts";
export { BluumApiError, type BluumApiErrorCode, type BluumApiErrorDetails } from "./errors.ts";
export type { BluumEventType } from "./event-types.ts";
export type { CreateWebhook, UpdateWebhook } from "./input.ts";
export type { BluumClientOptions } from "./options.ts";
export type { BluumWebhook } from "./webhook.ts";
