import { AsyncResource } from "node:async_hooks";
import type { IncomingMessage } from "node:http";
// From the module: tests that fake the timers of the global scope would wait for ever.
import { setImmediate } from "node:timers";
import { type BodyLimits, bodyIncomplete, bodyTooLarge } from "../src/index.ts";

/**
 * The body of a Node request that nobody has begun to read, where all of it is in this process already: the parser hands a request
 * over at the end of its headers, and a small body that came with them right after that. So at the end of this turn of the event
 * loop it is taken in one piece, without the listeners and the timer of a stream that is read, which cost more than checking a
 * signature. The stream has announced its end by then: parsers further down see that there is nothing to be read.
 *
 * @param stillComing what is done about a body that has not come whole
 * @throws WebhookError `body_too_large` or `body_incomplete`
 */
export function takeArrived(
  req: IncomingMessage,
  limits: BodyLimits,
  stillComing: (req: IncomingMessage, limits: BodyLimits) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  // Until then the stream is held, lest somebody who only watches it sets it flowing.
  req.pause();
  return new Promise((resolve, reject) => {
    if (waiting.push({ req, limits, stillComing, resolve, reject }) === 1) setImmediate(takeAll);
  });
}

interface Waiting {
  readonly req: IncomingMessage;
  readonly limits: BodyLimits;
  readonly stillComing: (req: IncomingMessage, limits: BodyLimits) => Promise<Uint8Array>;
  readonly resolve: (body: Uint8Array | Promise<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

/** The requests of this turn. One call at its end for all of them: one for each would cost them more than the taking. */
let waiting: Waiting[] = [];

/** In nobody's asynchronous context: the requests must not tell of their ends in that of the first of them. */
const takeAll: () => void = AsyncResource.bind(() => {
  const all = waiting;
  waiting = [];
  for (const one of all) {
    try {
      one.resolve(take(one));
    } catch (error) {
      one.reject(error);
    }
  }
});

function take({ req, limits, stillComing }: Waiting): Uint8Array | Promise<Uint8Array> {
  const { readableLength } = req;
  // A sender may have left in that turn.
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  if (!isWhole(req, readableLength)) return stillComing(req, limits);
  if (readableLength > limits.maxBytes) throw bodyTooLarge(limits.maxBytes);
  // By its length: without one, Deno gives the first of several pieces only.
  const body: Uint8Array = req.read(readableLength) ?? new Uint8Array(0);
  // To read on where nothing more will come ends the stream.
  req.read();
  return body;
}

function isWhole(req: IncomingMessage, readableLength: number): boolean {
  // Of HTTP/2 an aborted one is complete, too; text is no longer bytes.
  if (!req.complete || req.httpVersionMajor !== 1 || req.readableEncoding !== null) return false;
  const announced = req.headers["content-length"];
  return announced === undefined || Number(announced) === readableLength;
}
