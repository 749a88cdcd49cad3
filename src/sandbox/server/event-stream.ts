import type { ServerResponse } from "node:http";
import type { Changes, Revised } from "../changes.ts";

/** So many pages can follow at once. */
const MAX_STREAMS = 64;
/** A page that has not read so much is cut off, and comes back for what it missed. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** Tells pages of changes, as server-sent events. */
export class EventStreams {
  readonly #changes: Changes;
  readonly #open = new Set<ServerResponse>();
  readonly #unwatch: () => void;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(changes: Changes) {
    this.#changes = changes;
    this.#unwatch = changes.watch((revised) => this.#tell(eventOf(revised)));
    this.#heartbeat = setInterval(() => this.#tell(": still here\n\n"), HEARTBEAT_MS).unref();
  }

  /**
   * Tells a page of everything after a revision, and then of what happens.
   *
   * @param since the last revision that it knows; undefined to begin with the next
   * @returns false where too many are following
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

  /** Ends all. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.#unwatch();
    for (const response of this.#open) response.end();
  }

  #tell(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  }
}

function eventOf({ revision, change }: Revised): string {
  return `id: ${revision}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`;
}
