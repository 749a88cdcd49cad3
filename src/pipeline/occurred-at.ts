/** When an event happened, by the fields of its payload (provider contract, "The payload"); undefined where they tell no time. */
export function occurredAt(fields: Readonly<Record<string, unknown>>): Date | undefined {
  return dateOf(rfc3339(fields.timestamp) ?? rfc3339(fields.created_at) ?? unixSeconds(fields.created));
}

/** An RFC 3339 timestamp in epoch milliseconds; undefined for anything else. */
function rfc3339(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const epochMs = value.length === PLAIN.length ? plain(value) : Number.NaN;
  return Number.isNaN(epochMs) ? anyRfc3339(value) : epochMs;
}

const ANY = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

function anyRfc3339(text: string): number | undefined {
  if (text.length > 40 || !ANY.test(text)) return undefined;
  // What RFC 3339 allows and `Date` does not: a space for the T, and small letters.
  const epochMs = Date.parse(text.toUpperCase().replace(" ", "T"));
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** The form that Bluum writes. `Date.parse` takes a tenth of the time that a small event takes altogether. */
const PLAIN = "2025-06-15T14:30:15Z";
const DAY_MS = 86_400_000;

/** A timestamp of that form in epoch milliseconds. Whatever else it is, an impossible date or a leap second too, is NaN here. */
function plain(text: string): number {
  for (const place of [4, 7, 10, 13, 16, 19]) if (text.charCodeAt(place) !== PLAIN.charCodeAt(place)) return Number.NaN;
  const year = 100 * pair(text, 0) + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  // Until the 28th every month has the day.
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour <= 23 && minute <= 59 && second <= 59;
  return exists ? daysSinceEpoch(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 : Number.NaN;
}

/** Two digits of a text as a number; NaN where they are none. */
function pair(text: string, place: number): number {
  const tens = text.charCodeAt(place) - 48;
  const ones = text.charCodeAt(place + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

/** Days from 1970-01-01, in years that begin in March, so that the leap day is the last (H. Hinnant, "days_from_civil"). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const daysBefore = Math.floor((153 * ((month + 9) % 12) + 2) / 5);
  return 365 * years + leapDays + daysBefore + day - 719_469;
}

function unixSeconds(value: unknown): number | undefined {
  return typeof value === "number" ? value * 1000 : undefined;
}

function dateOf(epochMs: number | undefined): Date | undefined {
  // A Date reaches as far as this (ECMA-262, "Time Values and Time Range").
  return epochMs !== undefined && Math.abs(epochMs) <= 8.64e15 ? new Date(epochMs) : undefined;
}
