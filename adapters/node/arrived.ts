import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers/promises";
import { bodyIncomplete, bodyTooLarge } from "../../src/adapter.ts";
import type { BodyLimits } from "../../src/index.ts";

/**
 * Takes the body of an untouched HTTP/1 request in one piece, if all of it is buffered by the end of this turn of the event loop.
 * Most small bodies come in one packet with their headers, and this costs less than the listeners and the timer of a stream reader.
 * The stream ends as after any other read, so later body parsers see that nothing is left.
 *
 * @returns undefined, with nothing read, if more is to come or the length is not announced; the request is paused then
 * @throws WebhookError `body_too_large` or `body_incomplete`
 */
export async function takeArrived(req: IncomingMessage, { maxBytes }: BodyLimits): Promise<Uint8Array | undefined> {
  const announced = req.headers["content-length"];
  if (announced === undefined || req.httpVersionMajor !== 1) return undefined;
  const length = Number(announced);
  if (length > maxBytes) throw bodyTooLarge(maxBytes);
  // A listener that is added meanwhile must not start the stream.
  req.pause();
  await setImmediate();
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  if (!req.complete || req.readableLength !== length || req.readableEncoding !== null) return undefined;
  // With a length: without one, Deno returns only the first of several chunks.
  const body: Uint8Array = req.read(length) ?? new Uint8Array(0);
  // Nothing more will come, so this ends the stream in the next tick.
  req.read();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return body;
}
