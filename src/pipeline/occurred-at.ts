/** When an event happened, as far as its payload tells. */
export interface EventTime {
  readonly occurredAt: Date | undefined;
  /** The name of the field that should tell the time and is not in its form; undefined where another field tells it. */
  readonly unreadableTime: string | undefined;
}

/**
 * Reads the time of an event: `timestamp`, and beside an object `data` also `created_at` and `created`. Without `data` those two are
 * the resource's own, and old for every later event about it (provider contract, "The payload").
 */
export function eventTime(payload: Readonly<Record<string, unknown>>): EventTime {
  const { timestamp, created_at, created, data } = payload;
  const fields: [name: string, value: unknown, epochMs: number][] = [["timestamp", timestamp, rfc3339Ms(timestamp)]];
  if (typeof data === "object" && data !== null) {
    fields.push(["created_at", created_at, rfc3339Ms(created_at)], ["created", created, unixMs(created)]);
  }
  const readable = fields.find(([, , epochMs]) => !Number.isNaN(epochMs));
  if (readable !== undefined) return { occurredAt: new Date(readable[2]), unreadableTime: undefined };
  const unreadable = fields.find(([, value]) => value !== undefined && value !== null);
  return { occurredAt: undefined, unreadableTime: unreadable?.[0] };
}

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
