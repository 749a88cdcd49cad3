import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";

/**
 * The three shapes in which Bluum's pages document the same webhook:
 * - `flat`: `{ id, object, url, event_type_names, status: "active", created_at }`
 * - `wrapped`: `{ status, message, data: { webhook: { webhook_id, eventTypeNames, … } } }`
 * - `detailed`: `{ status, data: { webhook: { id, secret, eventTypes: [{ id, name }], createdAt, … } } }`
 */
export type ResponseShape = "flat" | "wrapped" | "detailed";

/** The two shapes of a list: `{ object: "list", url, has_more, data }`, or `{ status, data: { webhooks } }`. */
export type ListShape = "list" | "wrapped";

/** The two shapes of an error: `{ error: { type, code, message, param? } }`, or `{ status: "error", code, message }`. */
export type ErrorShape = "nested" | "flat";

/** One page of a list. */
export interface Page {
  readonly endpoints: readonly Endpoint[];
  readonly hasMore: boolean;
}

/** A webhook in one of the shapes. @param withSecret for the answer to its creation; the detailed shape always has the secret */
function resource(shape: ResponseShape, endpoint: Endpoint, withSecret: boolean): object {
  const { id, name, url, description, status, eventTypeNames } = endpoint;
  const secret = withSecret ? { secret: endpoint.secrets[0] } : {};
  const createdAt = new Date(endpoint.createdAt).toISOString();
  if (shape === "flat") {
    const flat = { id, object: "webhook", url, event_type_names: eventTypeNames, status: status.toLowerCase() };
    return { ...flat, created_at: createdAt, ...secret };
  }
  if (shape === "wrapped")
    return { webhook_id: id, name, url, eventTypeNames, status, created_at: createdAt, ...secret };
  return {
    ...{ id, name, url, description: description ?? null, status, secret: endpoint.secrets[0] },
    eventTypes: eventTypeNames.map((eventType) => ({ id: `et_${eventType.replaceAll(/\W/g, "_")}`, name: eventType })),
    ...{ createdAt, updatedAt: new Date(endpoint.updatedAt).toISOString() },
  };
}

/** The answer about one webhook. */
export function webhookAnswer(shape: ResponseShape, endpoint: Endpoint, message: string, withSecret = false): object {
  const webhook = resource(shape, endpoint, withSecret);
  if (shape === "flat") return webhook;
  return { status: "success", ...(shape === "wrapped" ? { message } : {}), data: { webhook } };
}

/** The answer with a list of webhooks. */
export function listAnswer(shape: ResponseShape, listShape: ListShape, { endpoints, hasMore }: Page): object {
  const webhooks = endpoints.map((endpoint) => resource(shape, endpoint, false));
  return listShape === "list"
    ? { object: "list", url: "/v1/webhooks", has_more: hasMore, data: webhooks }
    : { status: "success", data: { webhooks } };
}

/** The answer to a deletion. */
export function deletedAnswer(shape: ResponseShape, { id }: Endpoint): object {
  return shape === "flat"
    ? { id, object: "webhook", deleted: true }
    : { status: "success", message: "Webhook deleted" };
}

/** The answer with all event types. */
export function eventTypesAnswer(): object {
  const eventTypes = KNOWN_EVENT_TYPES.map((name) => ({ name, description: described(name), version: "1.0" }));
  return { status: "success", data: { eventTypes } };
}

/** `transfer.deposit.completed` in words: `Transfer deposit completed`. */
function described(name: string): string {
  const words = name.replaceAll(/[._]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A refused call. */
export interface ApiError {
  readonly status: number;
  readonly message: string;
  readonly param?: string;
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
};

/** The answer to a refused call. */
export function errorAnswer(shape: ErrorShape, { status, message, param }: ApiError): object {
  const code = `BLUM-${status}-001`;
  if (shape === "flat") return { status: "error", code, message };
  const type = ERROR_TYPES[status] ?? "invalid_request_error";
  return { error: { type, code, message, ...(param === undefined ? {} : { param }) } };
}
