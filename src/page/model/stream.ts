import { signal } from "@preact/signals";

/** Whether the page is up to date. */
export const connection = signal<"connecting" | "live" | "lost">("connecting");

/** How long the page waits before it tries to connect again, in milliseconds. */
export const RETRY_MS = 1_500;

/**
 * Listens to server-sent events for as long as the page is open.
 *
 * @param path of the stream, for each new connection
 * @param on what to do with each kind of event
 */
export function listen(
  path: () => string,
  on: Readonly<Record<string, (event: MessageEvent<string>, source: EventSource) => void>>,
): void {
  const source = new EventSource(path());
  source.onopen = () => {
    connection.value = "live";
  };
  source.onerror = () => {
    connection.value = "lost";
    // The browser reconnects after a lost connection, but not after an answer that is not a stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(path, on), RETRY_MS);
  };
  for (const [kind, work] of Object.entries(on)) {
    source.addEventListener(kind, (event) => work(event as MessageEvent<string>, source));
  }
}
