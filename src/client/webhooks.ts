import type { Ask, CallOptions } from "./api.ts";
import { refused } from "./errors.ts";
import { type CreateWebhook, checkFields, checkId, fieldsOf, type UpdateWebhook } from "./input.ts";
import { allOf } from "./pages.ts";
import { type BluumWebhook, toWebhook, webhookOf } from "./webhook.ts";

/** Gets all webhooks, from all pages. */
export function listWebhooks(ask: Ask, { signal }: CallOptions = {}): Promise<BluumWebhook[]> {
  return allOf(ask, {
    call: { operation: "webhooks.list", method: "get", path: "webhooks", signal },
    member: "webhooks",
    limit: 200,
    read: toWebhook,
    keyOf: ({ id }) => id,
  });
}

/** Creates a webhook. */
export async function createWebhook(ask: Ask, input: CreateWebhook, options: CallOptions = {}): Promise<BluumWebhook> {
  const operation = "webhooks.create";
  checkFields(operation, input, ["name", "url", "eventTypeNames", "description"]);
  const json = fieldsOf(operation, input);
  for (const field of ["name", "url", "eventTypeNames"] as const) {
    if (json[field] === undefined) throw refused(operation, field, "is missing");
  }
  return webhookOf(await ask({ operation, method: "post", path: "webhooks", json, signal: options.signal }));
}

/** Changes the given fields of a webhook. */
export async function updateWebhook(
  ask: Ask,
  id: string,
  changes: UpdateWebhook,
  { signal }: CallOptions = {},
): Promise<BluumWebhook> {
  const operation = "webhooks.update";
  checkFields(operation, changes, ["name", "url", "eventTypeNames", "description", "status"]);
  const json = fieldsOf(operation, changes);
  if (Object.keys(json).length === 0) throw refused(operation, "the argument", "must contain something to change");
  const path = `webhooks/${checkId(operation, id)}`;
  return webhookOf(await ask({ operation, method: "patch", path, json, signal }));
}

/** Deletes a webhook. */
export async function deleteWebhook(ask: Ask, id: string, { signal }: CallOptions = {}): Promise<void> {
  const operation = "webhooks.delete";
  await ask({ operation, method: "delete", path: `webhooks/${checkId(operation, id)}`, signal });
}
