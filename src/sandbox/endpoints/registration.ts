import { KNOWN_EVENT_TYPES } from "../../bluum/catalogue.ts";
import { patternsMatching } from "../../events/pattern.ts";
import { isLoopback } from "../server/origins.ts";
import type { Registration } from "./registry.ts";

/** What is wrong with a registration, and with which of its fields. */
export class Invalid {
  readonly param: string;
  readonly message: string;

  constructor(param: string, message: string) {
    this.param = param;
    this.message = message;
  }
}

/** Whole families that the documentation names without their members. */
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

/** Checks the body of `PATCH /webhooks/{id}`: whatever is there must be right. */
export function changesFrom(fields: Fields): Partial<Registration> | Invalid {
  const problem = Object.entries(CHECKS).find(([name, check]) => name in fields && check(fields[name]) !== undefined);
  if (problem !== undefined) return new Invalid(problem[0], problem[1](fields[problem[0]]) ?? "");
  const known = FIELDS.filter((name) => name in fields).map((name) => [name, fields[name]]);
  return Object.fromEntries(known) as Partial<Registration>;
}

const FIELDS = ["name", "url", "eventTypeNames", "description", "status"] as const;

/** What is wrong with a field that is there; undefined where nothing is. */
type Check = (value: unknown) => string | undefined;

const CHECKS: Readonly<Record<(typeof FIELDS)[number] | "events", Check>> = {
  events: () => "events is no field of a webhook; name the events in eventTypeNames",
  name: (value) => (isText(value) ? undefined : "name must be a text of 1 to 2048 characters"),
  url: wrongUrl,
  eventTypeNames: wrongNames,
  description: (value) => (value === "" || isText(value) ? undefined : "description must be a text"),
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
  const shown = typeof unknown === "string" ? JSON.stringify(unknown.slice(0, 100)) : "something that is no text";
  return `eventTypeNames holds ${shown}, which is no known event type and no wildcard of one`;
}
