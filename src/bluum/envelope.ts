/** What is known or assumed about the body of Bluum's webhooks: which fields hold the event's name, id, time and data. */

/** A parsed body. */
export type Payload = Readonly<Record<string, unknown>>;

/** The event's name: the field `event`, as documented, or `type`, as in Bluum's REST resources. */
export function eventTypeField({ event, type }: Payload): string | undefined {
  return nonEmptyText(event) ?? nonEmptyText(type);
}

/**
 * The event's id, if a field of the payload is certainly one: `event_id`, `eventId`, or an `id` marked as an event's by its prefix or by
 * `object`. A field is ignored if it begins like a resource's id, or if the resource contains the same id.
 */
export function eventIdField(payload: Payload): string | undefined {
  const { event_id, eventId, id, ...others } = payload;
  const { data, object } = others;
  const hasData = typeof data === "object" && data !== null;
  // Without data, the resource's fields are at the top level, and `id` is one of them.
  const resource = hasData ? data : { ...others, id };
  if (isEventId(event_id) && !containsId(resource, event_id)) return event_id;
  if (isEventId(eventId) && !containsId(resource, eventId)) return eventId;
  const isEnvelopes = isEventId(id) && saysEvent(id, object) && !containsId(hasData ? data : others, id);
  return isEnvelopes ? id : undefined;
}

const RESOURCE_PREFIX = /^(ord|dep|wd|doc|inv|wh|fs|pos|acc|wal)_/i;
const EVENT_PREFIX = /^(evt|msg)_/;

/** Whether an id begins like that of a resource of Bluum, such as `ord_`. */
export function hasResourcePrefix(id: string): boolean {
  return RESOURCE_PREFIX.test(id);
}

/** A resource's id is never taken for an event's: two events of one order would become one. */
function isEventId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !hasResourcePrefix(value);
}

/** Whether a plain `id` is an event's, by its prefix or by `object`, the kind of thing that it identifies. */
function saysEvent(id: string, object: unknown): boolean {
  if (object === "event") return true;
  const namesResource = typeof object === "string" && !/event/i.test(object);
  return EVENT_PREFIX.test(id) && !namesResource;
}

/**
 * Whether an object contains an id as a value, at any depth, ignoring case. Numbers are compared as numbers, since large ones lose digits
 * when they are parsed.
 */
export function containsId(root: object, id: string): boolean {
  const [text, number] = [id.toLowerCase(), Number(id)];
  // Iterating a set visits objects added meanwhile, each once. No recursion: JSON may be nested deeper than the stack allows.
  const objects = new Set<object>([root]);
  for (const one of objects) {
    for (const value of Object.values(one)) {
      if (typeof value === "object" && value !== null) objects.add(value);
      else if (typeof value === "number" ? value === number : isSame(String(value), text)) return true;
    }
  }
  return false;
}

/** Compares the lengths first: to put every text of a payload into lower case costs almost as much as parsing it. */
function isSame(value: string, lowerCase: string): boolean {
  return value.length === lowerCase.length && value.toLowerCase() === lowerCase;
}

/** When an event happened, by its payload. */
export interface EventTime {
  readonly occurredAt: Date | undefined;
  /** The name of a time field that cannot be read; undefined if another one can. */
  readonly unreadableTime: string | undefined;
}

/**
 * Reads the time of an event: `timestamp`, and next to an object `data` also `created_at` and `created`. Without `data`, those two
 * belong to the resource, so they would be too old for every later event about it.
 */
export function eventTime(payload: Payload): EventTime {
  const isEnvelope = typeof payload.data === "object" && payload.data !== null;
  const fields = isEnvelope ? ENVELOPE_TIMES : RESOURCE_TIMES;
  for (const field of fields) {
    const epochMs = field === "created" ? unixMs(payload[field]) : rfc3339Ms(payload[field]);
    if (!Number.isNaN(epochMs)) return { occurredAt: new Date(epochMs), unreadableTime: undefined };
  }
  const isPresent = (field: string) => payload[field] !== undefined && payload[field] !== null;
  return { occurredAt: undefined, unreadableTime: fields.find(isPresent) };
}

const RESOURCE_TIMES = ["timestamp"] as const;
const ENVELOPE_TIMES = ["timestamp", "created_at", "created"] as const;

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** An RFC 3339 timestamp in epoch milliseconds; NaN for anything else, such as a time without an offset. */
function rfc3339Ms(value: unknown): number {
  if (typeof value !== "string" || !RFC3339.test(value)) return Number.NaN;
  // RFC 3339 allows a space for the T and small letters, `Date.parse` does not.
  return Date.parse(value.toUpperCase().replace(" ", "T"));
}

/** Seconds beyond the year 5138 are milliseconds, written by mistake. */
const MAX_UNIX_SECONDS = 1e11;

/** Unix seconds in epoch milliseconds; NaN for anything else. */
function unixMs(value: unknown): number {
  return typeof value === "number" && Math.abs(value) < MAX_UNIX_SECONDS ? value * 1000 : Number.NaN;
}

function nonEmptyText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
