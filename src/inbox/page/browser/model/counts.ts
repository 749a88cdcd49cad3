import { effect, signal, untracked } from "@preact/signals";
import { connection, listen, RETRY_MS } from "../../../../page/model/stream.ts";
import { plural } from "../../../../page/model/words.ts";
import type { InboxStats } from "../../../inbox.ts";
import { COUNTS_PATH, fetchOverview } from "./api.ts";
import { listIsStale } from "./parked.ts";

/** null until the server has answered for the first time. */
export const counts = signal<InboxStats | null>(null);
/** The inbox's name. */
export const engine = signal("");
/** The types of Bluum's events. */
export const types = signal<readonly string[]>([]);
/** Whether the server answers, but its inbox does not. */
export const inboxIsAway = signal(false);
/** What a screen reader announces about new parked events. */
export const announcement = signal("");

/** Fetches the counts, then follows them for as long as the page is open. */
export function followCounts(): void {
  void refreshCounts();
  followParked();
  listen(() => COUNTS_PATH, {
    counts: ({ data }) => {
      inboxIsAway.value = false;
      counts.value = JSON.parse(data) as InboxStats;
      if (engine.value === "") void refreshCounts();
    },
    trouble: () => {
      inboxIsAway.value = true;
    },
  });
}

/** Fetches the counts now; the stream is up to two seconds late. */
export async function refreshCounts(): Promise<void> {
  try {
    const overview = await fetchOverview();
    engine.value = overview.engine;
    types.value = overview.types;
    counts.value = overview.counts;
  } catch {
    // The stream says when the server answers again; without one, this page asks again.
    if (connection.value !== "live") setTimeout(refreshCounts, RETRY_MS);
  }
}

/** A changed number of parked events means that the list may have changed. */
function followParked(): void {
  let known: number | undefined;
  effect(() => {
    const parked = counts.value?.parked;
    if (parked === known) return;
    if (known !== undefined && parked !== undefined) {
      if (parked > known) announcement.value = `${plural(parked - known, "more event is", "more events are")} parked`;
      untracked(listIsStale);
    }
    known = parked;
  });
}
