import { WebhookError } from "../errors.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";
import type { ThrottledLog } from "./log.ts";
import type { Envelope } from "./parse.ts";

/** What the age of an event is judged by. */
export interface AgeSettings {
  readonly scheme: Pick<SignatureScheme, "signsTimestamp">;
  readonly maxEventAgeMs: number;
  readonly retentionMs: number;
}

/**
 * Refuses an event that is too old by its own time, where the scheme signs no timestamp: a captured delivery would be valid for
 * ever, and new again once its event is forgotten. An event without a readable time passes; a time that is present but unreadable is
 * warned of.
 *
 * @throws WebhookError `event_too_old`
 */
export function checkAge(envelope: Envelope, nowMs: number, settings: AgeSettings, log: ThrottledLog): void {
  const { occurredAt, unreadableTime } = envelope;
  if (settings.scheme.signsTimestamp === true) return;
  if (unreadableTime !== undefined) warnOfUnreadableTime(log, unreadableTime);
  if (occurredAt === undefined || nowMs - occurredAt.getTime() <= settings.maxEventAgeMs) return;
  throw new WebhookError("event_too_old", `the event is older than maxEventAgeMs (${settings.maxEventAgeMs})`);
}

/** A year. A time further ahead is a mistake. */
const MAX_AHEAD_MS = 365 * 24 * 60 * 60_000;

/**
 * How long an event is remembered, in milliseconds. The further its time is ahead of the clock, the longer its age admits it, so it
 * is remembered longer by as much.
 */
export function retentionOf({ occurredAt }: Envelope, nowMs: number, settings: AgeSettings): number {
  const aheadMs = occurredAt === undefined ? 0 : Math.ceil(occurredAt.getTime() - nowMs);
  if (aheadMs <= 0 || settings.scheme.signsTimestamp === true) return settings.retentionMs;
  return settings.retentionMs + Math.min(aheadMs, MAX_AHEAD_MS);
}

/** Names the field, never its value. */
function warnOfUnreadableTime(log: ThrottledLog, field: string): void {
  log.once(
    "event_time_unreadable",
    `the payload's \`${field}\` is not a readable time (RFC 3339 with an offset, or Unix seconds in \`created\`), so maxEventAgeMs is not checked for such events: a captured one can be replayed once retentionMs has passed`,
  );
}
