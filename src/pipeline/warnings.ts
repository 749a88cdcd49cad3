import { memoryStore } from "../stores/memory.ts";
import type { DedupeStore } from "../stores/store.ts";
import type { ThrottledLog } from "./log.ts";

/** Whether this process says that it runs in production, where what is fine in development deserves a warning. */
export function inProduction(): boolean {
  try {
    return process.env.NODE_ENV === "production";
  } catch {
    // A runtime without `process`, or one that was not allowed to read its environment.
    return false;
  }
}

/** Says that other processes do not share what this one remembers. */
export function warnOfMemoryStore(log: ThrottledLog): void {
  log.once(
    "memory_store",
    "processed events are remembered in the memory of this process only: other processes do not see them, and a restart forgets them. Give createReceiver a durable store and a namespace",
  );
}

/** Says that events are told apart by nothing better than their bytes. */
export function warnOfBodyHash(log: ThrottledLog): void {
  log.once(
    "body_hash",
    "the payload has no event id, so an event is identified by the hash of its body: a retry with other bytes would run again, and two events with identical bytes count as one. To avoid both, set the eventId option to a field of the body that tells events apart",
  );
}

/** Warns that the age of events is not checked. Names the field, never its value. */
export function warnOfUnreadableTime(log: ThrottledLog, field: string): void {
  log.once(
    "event_time_unreadable",
    `the payload's \`${field}\` is not a readable time (RFC 3339 with an offset, or Unix seconds in \`created\`), so maxEventAgeMs is not checked for such events: a captured one can be replayed once retentionMs has passed`,
  );
}

/** The store of a receiver that was given none. That it is full goes to the receiver's log. */
export function ownStore(log: ThrottledLog): DedupeStore {
  const onEvict = () =>
    log.warn(
      "memory_store_full",
      "the memory store is full and drops the oldest processed events: a late retry of one would run again. Raise maxEntries or use a durable store",
    );
  return memoryStore({ onEvict });
}
