import { apiOf, type CallOptions } from "./api.ts";
import { type EnsuredWebhook, type EnsureWebhook, ensureWebhook } from "./ensure.ts";
import { type BluumEventType, listEventTypes } from "./event-types.ts";
import { type CreateWebhook, optionsOf, type UpdateWebhook } from "./input.ts";
import { type BluumClientOptions, settingsOf } from "./options.ts";
import type { BluumWebhook } from "./webhook.ts";
import { createWebhook, deleteWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

/** Bluum's management API. Every call rejects with a `BluumApiError` and nothing else. */
export interface BluumClient {
  /** The live catalogue of events. */
  eventTypes(options?: CallOptions): Promise<BluumEventType[]>;
  readonly webhooks: {
    /** All webhooks, of all pages. */
    list(options?: CallOptions): Promise<BluumWebhook[]>;
    /**
     * Makes a webhook. It is not repeated where nobody can tell whether it was made: the error's `mayHaveHappened` is true
     * then. Use `ensure` to have that taken care of.
     *
     * @returns the webhook, with its `secret`; keep it, Bluum may not show it again
     */
    create(webhook: CreateWebhook, options?: CallOptions): Promise<BluumWebhook>;
    /** Changes what is given and leaves the rest. */
    update(id: string, changes: UpdateWebhook, options?: CallOptions): Promise<BluumWebhook>;
    /**
     * Removes a webhook. One that is not there is `not_found`; one that is gone when an attempt of unknown outcome is repeated
     * was deleted by that.
     */
    delete(id: string, options?: CallOptions): Promise<void>;
    /**
     * Makes sure that there is a webhook of this URL with exactly these subscriptions: creates it, changes what differs, or does
     * nothing, and says which. It may be called at every deployment.
     */
    ensure(webhook: EnsureWebhook, options?: CallOptions): Promise<EnsuredWebhook>;
  };
}

/**
 * Makes a client of Bluum's management API. Nothing is sent until it is asked something.
 *
 * @throws BluumApiError `configuration_invalid` for options that cannot work; it names the option and repeats no value
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
