/** Reads bodies into bounded memory: one buffer for each body, and one budget for all bodies that are read or verified at the same time. */
import type { BodyLimits, BodyReader } from "./delivery.ts";
import { bodyIncomplete, bodyTooLarge, receiverBusy, WebhookError } from "./errors.ts";

const FIRST_BYTES = 1024;

/**
 * Holds a body while it is read. It copies every chunk into one buffer that doubles, up to `maxBytes`: a body in chunks of one byte
 * takes no more memory than any other. An announced length allocates nothing.
 *
 * @example
 * async function read(request: IncomingMessage, limits: BodyLimits) {
 *   const body = new BodyBuffer(limits);
 *   for await (const chunk of request) body.append(chunk);
 *   return body.bytes();
 * }
 */
export class BodyBuffer {
  readonly #limits: Pick<BodyLimits, "maxBytes" | "reserve">;
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** @param limits what a `BodyReader` is called with */
  constructor(limits: Pick<BodyLimits, "maxBytes" | "reserve">) {
    this.#limits = limits;
  }

  /**
   * Copies a chunk to the end.
   *
   * @throws WebhookError `body_too_large` if the body is longer than `maxBytes`, or `receiver_busy`
   */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#limits.maxBytes) throw bodyTooLarge(this.#limits.maxBytes);
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  /** The bytes so far, in an ArrayBuffer of exactly their length. */
  bytes(): Uint8Array {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length);
  }

  #grow(least: number): void {
    const { maxBytes, reserve } = this.#limits;
    const size = Math.min(maxBytes, Math.max(least, 2 * this.#buffer.length, FIRST_BYTES));
    reserve?.(size);
    const grown = new Uint8Array(size);
    grown.set(this.#buffer);
    this.#buffer = grown;
  }
}

/** The part of each body that is not counted, so that small events are always accepted. */
const FREE_BYTES = 64 * 1024;
const SHARED_BYTES = 64 * 1024 * 1024;

/**
 * Limits the memory of all bodies that are read or verified at the same time: beyond the first 64 KiB of each they share 64 MiB, or
 * four times `maxBytes` if that is more.
 */
export class BodyBudget {
  readonly #limits: BodyLimits;
  #leftBytes: number;

  /** @param limits of each body */
  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#leftBytes = Math.max(SHARED_BYTES, 4 * limits.maxBytes);
  }

  /**
   * Reads one body. The memory that it reserved is free again when the read settles.
   *
   * @throws WebhookError that the reader throws; `body_incomplete` for anything else that it throws
   */
  read(body: BodyReader): Promise<Uint8Array> {
    return this.readAndUse(body, (bytes) => bytes);
  }

  /**
   * Reads one body and uses it. The memory that it reserved is free again once both are done.
   *
   * @throws what {@link read} or `use` throws
   */
  async readAndUse<Used>(body: BodyReader, use: (bytes: Uint8Array) => Used | Promise<Used>): Promise<Used> {
    let held = FREE_BYTES;
    let inUse = true;
    const reserve = (bufferBytes: number) => {
      const more = bufferBytes - held;
      // A reservation after the end would never be freed.
      if (more <= 0 || !inUse) return;
      if (more > this.#leftBytes) throw receiverBusy();
      this.#leftBytes -= more;
      held += more;
    };
    try {
      let bytes: Uint8Array;
      try {
        bytes = await body({ ...this.#limits, reserve });
      } catch (thrown) {
        throw thrown instanceof WebhookError ? thrown : bodyIncomplete(thrown);
      }
      return await use(bytes);
    } finally {
      inUse = false;
      this.#leftBytes += held - FREE_BYTES;
    }
  }
}
