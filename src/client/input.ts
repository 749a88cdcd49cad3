import { checkAddress } from "./address.ts";
import type { CallOptions } from "./api.ts";
import { refused } from "./errors.ts";

/** A new webhook. */
export interface CreateWebhook {
  /** Its display name. */
  readonly name: string;
  /** Where deliveries are sent: `https:`, or a URL on this machine. */
  readonly url: string | URL;
  /** The subscriptions: event names (`order.filled`) and wildcards (`order.*`). */
  readonly eventTypeNames: readonly string[];
  readonly description?: string | undefined;
}

/** Changes to a webhook. Missing fields stay as they are. */
export interface UpdateWebhook {
  readonly name?: string | undefined;
  /** `https:`, or a URL on this machine. */
  readonly url?: string | URL | undefined;
  /** Replaces all subscriptions. */
  readonly eventTypeNames?: readonly string[] | undefined;
  readonly description?: string | undefined;
  /** Whether deliveries are sent. */
  readonly status?: "ACTIVE" | "INACTIVE" | undefined;
}

/** The fields of a request, after checking. */
export interface Fields {
  name?: string;
  url?: string;
  eventTypeNames?: string[];
  description?: string;
  status?: string;
}

/** Checks the options of a call. */
export function optionsOf(operation: string, options: unknown = {}): CallOptions {
  if (typeof options !== "object" || options === null) throw refused(operation, "options", "must be an object");
  const { signal } = options as { signal?: Partial<AbortSignal> | null };
  if (signal === undefined) return {};
  if (typeof signal?.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    throw refused(operation, "signal", "must be an AbortSignal");
  }
  return { signal: signal as AbortSignal };
}

/** Refuses fields that the call does not have, such as `events`: Bluum might ignore them silently. */
export function checkFields(operation: string, input: unknown, known: readonly string[]): void {
  if (typeof input !== "object" || input === null) throw refused(operation, "the argument", "must be an object");
  if ("events" in input) throw refused(operation, "events", "is not a field; use eventTypeNames");
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) throw refused(operation, unknown, `is not a field; there are ${known.join(", ")}`);
}

/** Checks the fields that are present. */
export function fieldsOf(operation: string, input: UpdateWebhook): Fields {
  const { name, url, eventTypeNames, description, status } = input;
  return {
    ...(name !== undefined && { name: nameOf(operation, name) }),
    ...(url !== undefined && { url: checkAddress(operation, "url", url).href }),
    ...(eventTypeNames !== undefined && { eventTypeNames: namesOf(operation, "eventTypeNames", eventTypeNames) }),
    ...(description !== undefined && { description: descriptionOf(operation, description) }),
    ...(status !== undefined && { status: statusOf(operation, status) }),
  };
}

/** Checks event names and wildcards, and removes repeated ones. */
export function namesOf(operation: string, field: string, names: unknown): string[] {
  if (!Array.isArray(names) || names.length === 0) {
    throw refused(
      operation,
      field,
      'must be a list of at least one name or wildcard, such as "order.filled" or "order.*"',
    );
  }
  if (names.every((name) => typeof name === "string" && /^[^\s\p{Cc}]+$/u.test(name))) return [...new Set(names)];
  throw refused(operation, field, "must contain only names and wildcards without white space");
}

/** Refuses an id that would change the path of the request. */
export function checkId(operation: string, id: unknown): string {
  if (typeof id === "string" && /^[\w~:-][\w.~:-]{0,199}$/.test(id)) return id;
  throw refused(operation, "id", "must be a webhook's id, such as wh_1");
}

function nameOf(operation: string, name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name;
  throw refused(operation, "name", "must be a non-blank string");
}

function descriptionOf(operation: string, description: unknown): string {
  if (typeof description === "string") return description;
  throw refused(operation, "description", "must be a string");
}

function statusOf(operation: string, status: unknown): string {
  if (status === "ACTIVE" || status === "INACTIVE") return status;
  throw refused(operation, "status", "must be ACTIVE or INACTIVE");
}
