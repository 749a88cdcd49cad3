import type { Ask, CallOptions } from "./api.ts";
import { isObject, type JsonObject, textOf } from "./json.ts";
import { allOf } from "./pages.ts";
import { present } from "./webhook.ts";

/** A kind of event that Bluum sends. */
export interface BluumEventType {
  /** Such as `order.filled`. */
  readonly name: string;
  readonly description?: string;
  readonly version?: string;
  /** Bluum's object, unchanged. */
  readonly raw: JsonObject;
}

/** Gets the live catalogue. */
export function listEventTypes(ask: Ask, { signal }: CallOptions = {}): Promise<BluumEventType[]> {
  return allOf(ask, {
    call: { operation: "eventTypes", method: "get", path: "webhooks/event-types", signal },
    member: "eventTypes",
    read: toEventType,
    keyOf: ({ name }) => name,
  });
}

function toEventType(given: unknown): BluumEventType | undefined {
  const raw = typeof given === "string" ? { name: given } : given;
  const name = textOf(raw, "name");
  if (!isObject(raw) || name === undefined) return undefined;
  const { version } = raw;
  return {
    name,
    ...present({
      description: textOf(raw, "description"),
      version: typeof version === "number" ? String(version) : textOf(raw, "version"),
    }),
    raw,
  };
}
