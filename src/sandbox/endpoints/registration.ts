import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import { patternsMatching } from "../../events/pattern.ts";
import { isLoopback } from "../server/origins.ts";
import type { Registration } from "./registry.ts";

/** A problem with one field of a registration. */
export class Invalid {
  readonly param: string;
  readonly message: string;

  constructor(param: string, message: string) {
    this.param = param;
    this.message = message;
  }
}

/** Wildcards that the documentation names without their event types. */
const FAMILIES = ["kyc.*", "compliance.*"];
const SUBSCRIBABLE: ReadonlySet<string> = new Set([...KNOWN_EVENT_TYPES.flatMap(patternsMatching), ...FAMILIES]);
const MAX_TEXT = 2_048;

type Fields = Readonly<Record<string, unknown>>;

/** Checks the body of `POST /webhooks`. */
export function registrationFrom(fields: Fields): Registration | Invalid {
  const checked = changesFrom(fields);
  if (checked instanceof Invalid) return checked;
  const { name, url, eventTypeNames } = checked;
  if (name === undefined) return new Invalid("name", "name is required");
  if (url === undefined) return new Invalid("url", "url is required");
  if (eventTypeNames === undefined) return new Invalid("eventTypeNames", "eventTypeNames is required");
  return { ...checked, name, url, eventTypeNames };
}

/** Checks the body of `PATCH /webhooks/{id}`: every field is optional. */
export function changesFrom(fields: Fields): Partial<Registration> | Invalid {
  const problem = Object.entries(CHECKS).find(([name, check]) => name in fields && check(fields[name]) !== undefined);
  if (problem !== undefined) return new Invalid(problem[0], problem[1](fields[problem[0]]) ?? "");
  const known = FIELDS.filter((name) => name in fields).map((name) => [name, fields[name]]);
  return Object.fromEntries(known) as Partial<Registration>;
}

const FIELDS = ["name", "url", "eventTypeNames", "description", "status"] as const;

/** Returns the problem with a field's value; undefined if there is none. */
type Check = (value: unknown) => string | undefined;

const CHECKS: Readonly<Record<(typeof FIELDS)[number] | "events", Check>> = {
  events: () => "events is not a field of a webhook; use eventTypeNames",
  name: (value) => (isText(value) ? undefined : "name must be a string of 1 to 2048 characters"),
  url: wrongUrl,
  eventTypeNames: wrongNames,
  description: (value) => (value === "" || isText(value) ? undefined : "description must be a string"),
  status: (value) => (value === "ACTIVE" || value === "INACTIVE" ? undefined : "status must be ACTIVE or INACTIVE"),
};

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= MAX_TEXT;
}

function wrongUrl(value: unknown): string | undefined {
  const url = isText(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return "url must be an absolute URL";
  if (url.username !== "" || url.password !== "") return "url must not carry credentials";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return undefined;
  return "url must be https, except on this machine";
}

function wrongNames(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return "eventTypeNames must be a list of one event type or more";
  const unknown: unknown = value.find((name) => !SUBSCRIBABLE.has(name));
  if (unknown === undefined) return undefined;
  const shown = typeof unknown === "string" ? JSON.stringify(unknown.slice(0, 100)) : "a value that is not a string";
  return `eventTypeNames holds ${shown}, which is not a known event type or a wildcard of one`;
}
