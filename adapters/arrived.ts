import type { IncomingMessage } from "node:http";
import { bodyTooLarge } from "../src/index.ts";

/** On a request whose whole body was taken: its end is announced a little later. */
const TAKEN: unique symbol = Symbol("bluum-webhooks: the body was taken");

/**
 * The body of a Node request, where all of it is in this process already: a small one mostly comes with its headers, and is there
 * right after the parser has handed these over. It is taken without the listeners and the timer of a stream that is read, which
 * cost as much as checking a signature. For a request that nobody has begun to read.
 *
 * @returns undefined where the body is still coming
 * @throws WebhookError `body_too_large`
 */
export function takeArrived(req: IncomingMessage & { [TAKEN]?: true }, maxBytes: number): Uint8Array | undefined {
  const { readableLength, readableEncoding, headers, httpVersionMajor } = req;
  // HTTP/2's streams tell otherwise how far they are; text is no longer bytes.
  if (httpVersionMajor !== 1 || readableEncoding !== null) return undefined;
  if (readableLength !== Number(headers["content-length"])) return undefined;
  if (readableLength > maxBytes) throw bodyTooLarge(maxBytes);
  // By its length: without one, Deno gives the first of several pieces only.
  const bytes: Uint8Array = req.read(readableLength) ?? new Uint8Array(0);
  req[TAKEN] = true;
  // So that it still ends and closes, as whoever waits for that expects.
  req.resume();
  return bytes;
}

/** Whether {@link takeArrived} took the whole body of a request. */
export function wasTaken(req: IncomingMessage): boolean {
  return TAKEN in req;
}

/** Waits for the end of a body that was taken. Until it is announced, parsers think that there is something to be read. */
export async function endOfTaken(req: IncomingMessage): Promise<void> {
  if (!wasTaken(req) || req.readableEnded || req.destroyed) return;
  await new Promise<void>((resolve) => req.once("end", resolve).once("close", resolve));
}
