import type { ServerResponse } from "node:http";
import { type Sink, Streams } from "../../page/server/streams.ts";
import type { Changes, Revised } from "../changes.ts";

/** Sends changes to pages as server-sent events. */
export class EventStreams {
  readonly #changes: Changes;
  readonly #streams = new Streams();
  readonly #unwatch: () => void;

  constructor(changes: Changes) {
    this.#changes = changes;
    this.#unwatch = changes.watch((revised) => this.#streams.write(eventOf(revised)));
  }

  /**
   * Sends a page every change after a revision, and then each new change.
   *
   * @param since the last revision that the page knows; undefined for new changes only
   * @returns false if too many pages are connected
   */
  open(response: ServerResponse, since: number | undefined): boolean {
    if (this.#streams.full) return false;
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    const missed = since === undefined ? [] : this.#changes.since(since);
    response.write(`retry: 1000\n${missed === undefined ? "event: reset\ndata: {}\n" : ""}\n`);
    for (const revised of missed ?? []) response.write(eventOf(revised));
    const sink = sinkOf(response);
    this.#streams.add(sink);
    response.on("close", () => this.#streams.delete(sink));
    return true;
  }

  /** Ends every stream. */
  close(): void {
    this.#unwatch();
    this.#streams.close();
  }
}

function sinkOf(response: ServerResponse): Sink {
  return {
    write: (text) => response.write(text),
    unreadBytes: () => response.writableLength,
    end: () => response.end(),
    destroy: () => response.destroy(),
  };
}

function eventOf({ revision, change }: Revised): string {
  return `id: ${revision}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`;
}
