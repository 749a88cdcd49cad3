import type { ServerResponse } from "node:http";
import type { Changes, Revised } from "../changes.ts";

/** The most pages that can be connected at once. */
const MAX_STREAMS = 64;
/** A page with more unread data than this is disconnected; it reconnects and gets what it missed. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** Sends changes to pages as server-sent events. */
export class EventStreams {
  readonly #changes: Changes;
  readonly #open = new Set<ServerResponse>();
  readonly #unwatch: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(changes: Changes) {
    this.#changes = changes;
    this.#unwatch = changes.watch((revised) => this.#write(eventOf(revised)));
    this.#heartbeat = setInterval(() => this.#write(": still here\n\n"), HEARTBEAT_MS).unref();
  }

  /**
   * Sends a page every change after a revision, and then each new change.
   *
   * @param since the last revision that the page knows; undefined for new changes only
   * @returns false if too many pages are connected
   */
  open(response: ServerResponse, since: number | undefined): boolean {
    if (this.#open.size >= MAX_STREAMS) return false;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    const missed = since === undefined ? [] : this.#changes.since(since);
    response.write(`retry: 1000\n${missed === undefined ? "event: reset\ndata: {}\n" : ""}\n`);
    for (const revised of missed ?? []) response.write(eventOf(revised));
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
    return true;
  }

  /** Ends every stream. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#unwatch();
    for (const response of this.#open) response.end();
  }

  #write(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  }
}

function eventOf({ revision, change }: Revised): string {
  return `id: ${revision}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`;
}
