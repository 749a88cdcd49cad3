import { apiOf, type CallOptions } from "./api.ts";
import { type EnsuredWebhook, type EnsureWebhook, ensureWebhook } from "./ensure.ts";
import { type BluumEventType, listEventTypes } from "./event-types.ts";
import { type CreateWebhook, optionsOf, type UpdateWebhook } from "./input.ts";
import { type BluumClientOptions, settingsOf } from "./options.ts";
import type { BluumWebhook } from "./webhook.ts";
import { createWebhook, deleteWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

/** Bluum's management API. Calls reject only with a `BluumApiError`. */
export interface BluumClient {
  /**
   * Gets the live catalogue of events.
   *
   * @throws BluumApiError
   */
  eventTypes(options?: CallOptions): Promise<BluumEventType[]>;
  /** The webhook endpoints of the account. */
  readonly webhooks: {
    /**
     * Gets all webhooks, from all pages.
     *
     * @throws BluumApiError
     */
    list(options?: CallOptions): Promise<BluumWebhook[]>;
    /**
     * Creates a webhook. It is not retried if the webhook may have been created: the error's `mayHaveHappened` is true then. `ensure`
     * handles that case.
     *
     * @returns the webhook, with its `secret`. Store it: Bluum may not show it again
     * @throws BluumApiError
     */
    create(webhook: CreateWebhook, options?: CallOptions): Promise<BluumWebhook>;
    /**
     * Changes the given fields and leaves the others.
     *
     * @throws BluumApiError
     */
    update(id: string, changes: UpdateWebhook, options?: CallOptions): Promise<BluumWebhook>;
    /**
     * Deletes a webhook.
     *
     * @throws BluumApiError; `not_found` if there is no webhook with this id, unless an earlier attempt of this call may have deleted it
     */
    delete(id: string, options?: CallOptions): Promise<void>;
    /**
     * Makes sure that a webhook with this URL exists and has exactly these subscriptions: creates it, changes what differs, or does
     * nothing, and says which. Call it at every deployment.
     *
     * @throws BluumApiError
     */
    ensure(webhook: EnsureWebhook, options?: CallOptions): Promise<EnsuredWebhook>;
  };
}

/**
 * Makes a client of Bluum's management API. It sends nothing until a method is called.
 *
 * @throws BluumApiError `configuration_invalid` for an option that cannot work; the message names it but never contains its value
 * @example
 * const client = createBluumClient({ baseUrl: "sandbox" }); // BLUUM_API_KEY and BLUUM_API_SECRET from the environment
 * const { action, webhook } = await client.webhooks.ensure({ url: "https://example.com/webhooks/bluum", receiver });
 */
export function createBluumClient(options: BluumClientOptions = {}): BluumClient {
  const ask = apiOf(settingsOf(options));
  return {
    eventTypes: async (options) => listEventTypes(ask, optionsOf("eventTypes", options)),
    webhooks: {
      list: async (options) => listWebhooks(ask, optionsOf("webhooks.list", options)),
      create: async (webhook, options) => createWebhook(ask, webhook, optionsOf("webhooks.create", options)),
      update: async (id, changes, options) => updateWebhook(ask, id, changes, optionsOf("webhooks.update", options)),
      delete: async (id, options) => deleteWebhook(ask, id, optionsOf("webhooks.delete", options)),
      ensure: async (webhook, options) => ensureWebhook(ask, webhook, optionsOf("webhooks.ensure", options)),
    },
  };
}
