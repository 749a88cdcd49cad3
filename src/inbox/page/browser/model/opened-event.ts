import { effect, signal } from "@preact/signals";
import { reasonOf } from "../../../../page/model/call.ts";
import type { EventDetail } from "../../api.ts";
import { fetchEvent } from "./api.ts";
import { opened } from "./route.ts";

/** The opened event as fetched, and the error if fetching it failed. */
export interface OpenedEvent {
  readonly key: string;
  readonly detail: EventDetail | null;
  readonly trouble: string | null;
}

export const openedEvent = signal<OpenedEvent | null>(null);

/** Fetches the event when it is opened. */
export function followOpened(): void {
  effect(() => {
    const key = opened.value;
    openedEvent.value = key === null ? null : { key, detail: null, trouble: null };
    if (key !== null) void fetchOpened(key);
  });
}

async function fetchOpened(key: string): Promise<void> {
  const next = await fetchEvent(key).then(
    (detail) => ({ key, detail, trouble: null }),
    (error) => ({ key, detail: null, trouble: reasonOf(error) }),
  );
  if (opened.peek() === key) openedEvent.value = next;
}
