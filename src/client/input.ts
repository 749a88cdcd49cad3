import { checkAddress } from "./address.ts";
import type { CallOptions } from "./api.ts";
import { refused } from "./errors.ts";

/** What a new webhook is. */
export interface CreateWebhook {
  /** What people call it. */
  readonly name: string;
  /** Where deliveries go: `https:`, or a URL on this machine. */
  readonly url: string | URL;
  /** What to subscribe to: names of events (`order.filled`) and wildcards (`order.*`). */
  readonly eventTypeNames: readonly string[];
  readonly description?: string | undefined;
}

/** What to change about a webhook; what is missing stays. */
export interface UpdateWebhook {
  readonly name?: string | undefined;
  /** `https:`, or a URL on this machine. */
  readonly url?: string | URL | undefined;
  /** Replaces all that it is subscribed to. */
  readonly eventTypeNames?: readonly string[] | undefined;
  readonly description?: string | undefined;
  /** Whether deliveries are sent. */
  readonly status?: "ACTIVE" | "INACTIVE" | undefined;
}

/** Fields of a request, checked. */
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

/** Refuses fields that the call does not have: Bluum might ignore them silently, `events` above all. */
export function checkFields(operation: string, input: unknown, known: readonly string[]): void {
  if (typeof input !== "object" || input === null) throw refused(operation, "the argument", "must be an object");
  if ("events" in input) throw refused(operation, "events", "is not the field's name; it is eventTypeNames");
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) throw refused(operation, unknown, `is no field; there are ${known.join(", ")}`);
}

/** Checks those fields that are there. */
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

/** Names of events and wildcards, each once. */
export function namesOf(operation: string, field: string, names: unknown): string[] {
  if (!Array.isArray(names) || names.length === 0) {
    throw refused(
      operation,
      field,
      'must be a list of at least one name or wildcard, such as "order.filled" or "order.*"',
    );
  }
  if (names.every((name) => typeof name === "string" && /^[^\s\p{Cc}]+$/u.test(name))) return [...new Set(names)];
  throw refused(operation, field, "must hold names and wildcards only, without white space");
}

/** Refuses an id that would lead to another path. */
export function checkId(operation: string, id: unknown): string {
  if (typeof id === "string" && /^[\w~:-][\w.~:-]{0,199}$/.test(id)) return id;
  throw refused(operation, "id", "must be a webhook's id, such as wh_1");
}

function nameOf(operation: string, name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name;
  throw refused(operation, "name", "must be a string that is not blank");
}

function descriptionOf(operation: string, description: unknown): string {
  if (typeof description === "string") return description;
  throw refused(operation, "description", "must be a string");
}

function statusOf(operation: string, status: unknown): string {
  if (status === "ACTIVE" || status === "INACTIVE") return status;
  throw refused(operation, "status", "must be ACTIVE or INACTIVE");
}
