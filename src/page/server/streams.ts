import { unref } from "../../async.ts";

/** The most pages that can be connected at once. */
const MAX_STREAMS = 64;
/** A page with more unread data than this is disconnected; it reconnects and gets what it missed. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** One connected page. */
export interface Sink {
  write(text: string): void;
  /** How much the page has not read yet. */
  unreadBytes(): number;
  /** Ends the stream after what was written. */
  end(): void;
  /** Ends it at once. */
  destroy(): void;
}

/** The pages that listen to server-sent events. */
export class Streams {
  readonly #open = new Set<Sink>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  /** Whether as many pages are connected as can be. */
  get full(): boolean {
    return this.#open.size >= MAX_STREAMS;
  }

  /** How many pages are connected. */
  get size(): number {
    return this.#open.size;
  }

  add(sink: Sink): void {
    this.#open.add(sink);
    if (this.#heartbeat !== undefined) return;
    this.#heartbeat = setInterval(() => this.write(": still here\n\n"), HEARTBEAT_MS);
    unref(this.#heartbeat);
  }

  delete(sink: Sink): void {
    this.#open.delete(sink);
    if (this.#open.size === 0) this.#rest();
  }

  /** Writes to every page. */
  write(text: string): void {
    for (const sink of this.#open) {
      if (sink.unreadBytes() > MAX_UNREAD_BYTES) sink.destroy();
      else sink.write(text);
    }
  }

  /** Ends every stream. */
  close(): void {
    this.#rest();
    for (const sink of this.#open) sink.end();
  }

  #rest(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}
