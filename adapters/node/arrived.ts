import type { IncomingMessage } from "node:http";
// Imported: tests may fake the global one.
import { setImmediate } from "node:timers";
import { bodyIncomplete, bodyTooLarge } from "../../src/adapter.ts";
import type { BodyLimits } from "../../src/index.ts";

/**
 * Takes the body of an untouched HTTP/1 request in one piece, if all of it is buffered by the end of this turn of the event loop.
 * Most small bodies come in one packet with their headers, and this costs less than the listeners and the timer of a stream reader.
 * The stream ends before the promise resolves, so later body parsers see that nothing is left.
 *
 * @returns undefined, with nothing read, if more is to come or the length is not announced; the request may be paused then
 * @throws WebhookError `body_too_large` or `body_incomplete`
 */
export async function takeArrived(req: IncomingMessage, { maxBytes }: BodyLimits): Promise<Uint8Array | undefined> {
  const announced = req.headers["content-length"];
  if (announced === undefined || req.httpVersionMajor !== 1) return undefined;
  const length = Number(announced);
  if (length > maxBytes) throw bodyTooLarge(maxBytes);
  // A listener that is added before then must not start the stream.
  req.pause();
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(take(req, length));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function take(req: IncomingMessage, length: number): Uint8Array | undefined {
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  if (!req.complete || req.readableLength !== length || req.readableEncoding !== null) return undefined;
  // With a length: without one, Deno returns only the first of several chunks. A data listener of the app may throw here.
  const body: Uint8Array = req.read(length) ?? new Uint8Array(0);
  // Nothing more will come, so this ends the stream.
  req.read();
  return body;
}
