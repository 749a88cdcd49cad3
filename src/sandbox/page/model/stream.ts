import { connection, listen, RETRY_MS } from "../../../page/model/stream.ts";
import type { Change } from "../../page-api.ts";
import { changesPath, fetchState } from "./api.ts";
import { load, take } from "./world.ts";

/** Fetches the state, then follows the changes for as long as the page is open. */
export async function follow(): Promise<void> {
  try {
    const snapshot = await fetchState();
    load(snapshot);
    followSince(snapshot.revision);
  } catch {
    connection.value = "lost";
    setTimeout(follow, RETRY_MS);
  }
}

function followSince(since: number): void {
  let revision = since;
  // A connection that the browser itself restores keeps its address; the browser then sends the last revision in a header.
  listen(() => changesPath(revision), {
    change: ({ data, lastEventId }) => {
      revision = Number(lastEventId);
      take(JSON.parse(data) as Change);
    },
    reset: (_, source) => {
      source.close();
      void follow();
    },
  });
}
