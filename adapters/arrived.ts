import type { IncomingMessage } from "node:http";
import { type BodyLimits, bodyIncomplete, bodyTooLarge } from "../src/index.ts";

/** What is done about a body that is still coming. */
type StillComing<T> = (req: IncomingMessage, limits: BodyLimits) => T | Promise<T>;

/**
 * The body of a Node request that nobody has begun to read, where all of it is in this process already: the parser hands a request
 * over at the end of its headers, and a small body that came with them right after that. So at the end of this turn of the event
 * loop it is taken in one piece, without the listeners and the timer of a stream that is read, which cost more than checking a
 * signature. The stream has announced its end by then: parsers further down see that there is nothing to be read.
 *
 * @throws WebhookError `body_too_large` or `body_incomplete`
 */
export function takeArrived<T>(
  req: IncomingMessage,
  limits: BodyLimits,
  stillComing: StillComing<T>,
): Promise<Uint8Array | T> {
  // Until then the stream is held, lest somebody who only watches it sets it flowing.
  req.pause();
  return new Promise((resolve, reject) => setImmediate(take<T>, req, limits, stillComing, resolve, reject));
}

function take<T>(
  req: IncomingMessage,
  limits: BodyLimits,
  stillComing: StillComing<T>,
  resolve: (body: Uint8Array | T | Promise<T>) => void,
  reject: (error: unknown) => void,
): void {
  const { readableLength } = req;
  if (!isWhole(req, readableLength)) {
    // A sender may have left in that turn.
    if (req.destroyed && !req.readableEnded) reject(bodyIncomplete());
    else resolve(stillComing(req, limits));
  } else if (readableLength > limits.maxBytes) {
    reject(bodyTooLarge(limits.maxBytes));
  } else {
    // By its length: without one, Deno gives the first of several pieces only.
    resolve(req.read(readableLength) ?? new Uint8Array(0));
    // To read on where nothing more will come ends the stream.
    req.read();
  }
}

function isWhole(req: IncomingMessage, readableLength: number): boolean {
  // Of HTTP/2 an aborted one is complete, too; text is no longer bytes.
  if (!req.complete || req.httpVersionMajor !== 1 || req.readableEncoding !== null) return false;
  const announced = req.headers["content-length"];
  return announced === undefined || Number(announced) === readableLength;
}
