import type { IncomingMessage } from "node:http";
import { bodyAlreadyParsed, bodyIncomplete, isBytes } from "../../src/adapter.ts";
import type { AcceptedOutcome, BodyLimits, Delivery, WebhookError } from "../../src/index.ts";
import { takeArrived } from "./arrived.ts";
import { readStream } from "./stream.ts";

/** A Node request, with the fields that body parsers set. */
export type NodeRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

/**
 * A Node request as a delivery. The receiver reads its body when it needs it.
 *
 * @param kept other places in which the framework may have kept the bytes, beside `req.rawBody` and `req.body`. @default []
 */
export function toDelivery(req: NodeRequest, kept: readonly unknown[] = []): Delivery {
  return {
    method: req.method ?? "",
    headers: req.headers,
    body: (limits) => readBody(req, kept, limits),
    request: req,
  };
}

/**
 * The exact bytes of a request: those that a parser kept (`req.rawBody`, or `req.body` of `express.raw()`), else the unread stream.
 * A body that was read or decoded by something else is refused at once; a drained stream is never waited for.
 */
async function readBody(req: NodeRequest, kept: readonly unknown[], limits: BodyLimits): Promise<Uint8Array> {
  const bytes = [req.rawBody, req.body, ...kept].find(isBytes);
  if (bytes !== undefined) return bytes;
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  // After setEncoding() the stream gives text, which is not the exact bytes.
  if (req.readableDidRead || !req.readable || req.readableEncoding) throw alreadyParsed(req);
  // Without an await, since a listener has started the stream and would be the only one to get its first chunk.
  if (req.readableFlowing !== null) return readStream(req, limits);
  return (await takeArrived(req, limits)) ?? readStream(req, limits);
}

const REMEDY =
  "mount the receiver before express.json(), koa-bodyparser and the like, or let them keep the raw bytes: express.json({ verify: (req, res, buffer) => { req.rawBody = buffer } })";

function alreadyParsed({ body }: NodeRequest): WebhookError {
  if (body === undefined) return bodyAlreadyParsed("something read the request's stream", REMEDY);
  const found = typeof body === "string" ? "a string" : "an object";
  return bodyAlreadyParsed(`a body parser left ${found} in req.body`, REMEDY);
}

/**
 * Leaves the body for later middleware: the bytes in `req.rawBody`, and the payload in `req.body`, since a body parser would fail
 * on the drained stream.
 */
export function leaveBody(req: object, { event, context }: AcceptedOutcome): void {
  const { body, rawBody } = req as { body?: unknown; rawBody?: unknown };
  // Reflect.set does not throw if the app has an accessor of that name without a setter.
  if (rawBody === undefined) Reflect.set(req, "rawBody", context.rawBody);
  if (!isBytes(body)) Reflect.set(req, "body", event.payload);
  // Tells the body parsers of Express 4 that the body is parsed.
  Reflect.set(req, "_body", true);
}
