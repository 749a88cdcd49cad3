import { memoryStore } from "../stores/memory.ts";
import type { DedupeStore } from "../stores/store.ts";
import type { ThrottledLog } from "./log.ts";

/** The store of a receiver that was given none. When it is full, the receiver's log says so. */
export function ownStore(log: ThrottledLog): DedupeStore {
  const onEvict = () =>
    log.warn(
      "memory_store_full",
      "the memory store is full and drops the oldest processed events: a late retry of one would run again. Raise maxEntries or use a durable store",
    );
  return memoryStore({ onEvict });
}

/** Says once that a store in memory is not enough in production. */
export function warnOfMemoryStore(log: ThrottledLog): void {
  log.once(
    "memory_store",
    "processed events are remembered in the memory of this process only: other processes do not see them, and a restart forgets them. Give createReceiver a durable store and a namespace",
  );
}
