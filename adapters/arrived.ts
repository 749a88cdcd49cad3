import type { IncomingMessage } from "node:http";
// From the module: tests that fake the global timers would wait for ever.
import { setImmediate } from "node:timers";
import { bodyIncomplete, bodyTooLarge } from "../src/adapter.ts";
import type { BodyLimits } from "../src/index.ts";

/**
 * Takes the body of an unread HTTP/1 request in one piece, if all of it is in this process by the end of this turn of the event loop.
 * A small body mostly comes right after its headers, and this is cheaper than listening to a stream. The stream ends before the
 * promise resolves, so body parsers further down see that nothing is left.
 *
 * @returns undefined where more is to come, or without a Content-Length; nothing is read then, and the request may be paused
 * @throws WebhookError `body_too_large` or `body_incomplete`
 */
export async function takeArrived(req: IncomingMessage, { maxBytes }: BodyLimits): Promise<Uint8Array | undefined> {
  const announced = req.headers["content-length"];
  // A chunked body must not wait: every chunk of it is an object of its own.
  if (announced === undefined || req.httpVersionMajor !== 1) return undefined;
  // Somebody who only watches the stream must not set it flowing.
  req.pause();
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(take(req, Number(announced), maxBytes));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function take(req: IncomingMessage, announced: number, maxBytes: number): Uint8Array | undefined {
  // The sender may have left in that turn.
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  // Text is no longer the bytes that came.
  if (!req.complete || req.readableLength !== announced || req.readableEncoding !== null) return undefined;
  if (announced > maxBytes) throw bodyTooLarge(maxBytes);
  // By its length: without one, Deno gives the first of several pieces only.
  const body: Uint8Array = req.read(announced) ?? new Uint8Array(0);
  // Reading on where nothing more will come ends the stream.
  req.read();
  return body;
}
