import { signal } from "@preact/signals";
import type { Change } from "../../page-api.ts";
import { changesPath, fetchState } from "./api.ts";
import { load, take } from "./world.ts";

/** Whether the page is up to date. */
export const connection = signal<"connecting" | "live" | "lost">("connecting");

const RETRY_MS = 1_500;

/** Fetches the state, then follows the changes for as long as the page is open. */
export async function follow(): Promise<void> {
  try {
    const snapshot = await fetchState();
    load(snapshot);
    listen(snapshot.revision);
  } catch {
    connection.value = "lost";
    setTimeout(follow, RETRY_MS);
  }
}

function listen(since: number): void {
  let revision = since;
  const source = new EventSource(changesPath(since));
  source.onopen = () => {
    connection.value = "live";
  };
  source.onerror = () => {
    connection.value = "lost";
    // The browser reconnects after a lost connection, but not after an answer that is not a stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(revision), RETRY_MS);
  };
  source.addEventListener("change", ({ data, lastEventId }: MessageEvent<string>) => {
    revision = Number(lastEventId);
    take(JSON.parse(data) as Change);
  });
  source.addEventListener("reset", () => {
    source.close();
    void follow();
  });
}
