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
    "processed events are remembered in this process only: other processes do not share it, and a restart forgets it. Give createReceiver a durable store and a namespace",
  );
}

/** Says that events are told apart by nothing better than their bytes. */
export function warnOfBodyHash(log: ThrottledLog): void {
  log.once(
    "body_hash",
    "the payload names no event id, so events are told apart by the hash of their bytes: a retry whose bytes differ would run again, and the second of two events with identical bytes would be taken for a duplicate. To avoid both, set the eventId option to a field of the body that tells events apart",
  );
}

/** Says that the age of events is not checked. The field is named, its value is not. */
export function warnOfUnreadableTime(log: ThrottledLog, field: string): void {
  log.once(
    "event_time_unreadable",
    `the payload's \`${field}\` is no time that can be read (RFC 3339 with an offset, or Unix seconds in \`created\`), so maxEventAgeMs is not checked for such events: a captured one can be replayed once retentionMs has passed`,
  );
}

/** The store of a receiver that was given none. That it is full goes to the receiver's log. */
export function ownStore(log: ThrottledLog): DedupeStore {
  const onEvict = () =>
    log.warn(
      "memory_store_full",
      "the memory store is full and forgets its oldest processed events: a late retry of one would run again. Raise maxEntries, or use a durable store",
    );
  return memoryStore({ onEvict });
}
