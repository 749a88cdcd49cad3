import { sleep, unref } from "../../async.ts";
import { type Sink, Streams } from "../../page/server/streams.ts";
import type { InspectedInbox } from "./options.ts";

/** How often the counts are read while a page is open. */
const READ_EVERY_MS = 2_000;
/** A stream ends after this long. The page connects again, and is authorized again. */
const LONGEST_MS = 5 * 60_000;

const TROUBLE = "event: trouble\ndata: {}\n\n";

/** Sends the inbox's counts to the open pages whenever they change. While no page is open it reads nothing. */
export class LiveCounts {
  readonly #inbox: InspectedInbox;
  readonly #onError: (error: unknown) => void;
  readonly #streams = new Streams();
  #isReading = false;
  /** What was sent last. */
  #last = "";

  constructor(inbox: InspectedInbox, onError: (error: unknown) => void) {
    this.#inbox = inbox;
    this.#onError = onError;
  }

  /** A new stream; undefined if too many pages are connected. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.full) return undefined;
    const page = new ConnectedPage((sink) => this.#streams.delete(sink));
    page.write(`retry: 1000\n\n${this.#last}`);
    this.#streams.add(page);
    void this.#read();
    return page.stream;
  }

  /** Ends every stream. */
  close(): void {
    this.#streams.close();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#streams.size > 0) {
      const text = await this.#counts();
      if (text !== this.#last) {
        this.#last = text;
        this.#streams.write(text);
      }
      await sleep(READ_EVERY_MS, { unref: true });
    }
    this.#isReading = false;
    this.#last = "";
  }

  async #counts(): Promise<string> {
    try {
      return `event: counts\ndata: ${JSON.stringify(await this.#inbox.stats())}\n\n`;
    } catch (error) {
      // Once, not every two seconds.
      if (this.#last !== TROUBLE) this.#onError(error);
      return TROUBLE;
    }
  }
}

/** One page that listens. */
class ConnectedPage implements Sink {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #onEnd: (page: ConnectedPage) => void;
  readonly #timer = setTimeout(() => this.end(), LONGEST_MS);
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** @param onEnd called when the stream has ended, or the page has left */
  constructor(onEnd: (page: ConnectedPage) => void) {
    this.#onEnd = onEnd;
    unref(this.#timer);
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => void this.#release(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    );
  }

  write(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  unreadBytes(): number {
    return -(this.#controller?.desiredSize ?? 0);
  }

  end(): void {
    this.#release()?.close();
  }

  destroy(): void {
    this.#release()?.error(new Error("the page does not read"));
  }

  #release(): ReadableStreamDefaultController<Uint8Array> | undefined {
    const controller = this.#controller;
    this.#controller = undefined;
    clearTimeout(this.#timer);
    this.#onEnd(this);
    return controller;
  }
}
