import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import getRawBody from "raw-body";
import {
  type AcceptedOutcome,
  type BodyLimits,
  bodyAlreadyParsed,
  bodyIncomplete,
  bodyTimedOut,
  bodyTooLarge,
  type Delivery,
  isBytes,
  type Receiver,
  type Reply,
  type WebhookError,
} from "../src/index.ts";
import { takeArrived, wasTaken } from "./arrived.ts";

/** A Node request, with what body parsers and other middleware may have left on it. */
export type NodeRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

/**
 * Mounts a receiver on a plain `http`, `https` or HTTP/2 server: its handlers run, it settles, it answers. The promise
 * never rejects.
 *
 * @example
 * http.createServer(bluumHandler(receiver)).listen(3000);
 */
export function bluumHandler(
  receiver: Receiver,
): (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse) => Promise<void> {
  return async function bluumNodeHandler(request, response) {
    // HTTP/2's compatibility classes have all that is used here; their types are no relatives.
    const [req, res] = [request as IncomingMessage, response as ServerResponse];
    sendReply(req, res, await receiver.handle(toDelivery(req)));
  };
}

/**
 * A Node request as a delivery. Its body is read when the receiver asks for it.
 *
 * @param kept where a framework keeps what its body parsers made, beside `req.rawBody` and `req.body`
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
 * The exact bytes of a request: those that a parser kept (`req.rawBody`, or `req.body` of `express.raw()`), or else the
 * untouched stream. What something else has read or decoded is refused at once; a drained stream is never waited for.
 */
async function readBody(
  req: NodeRequest,
  kept: readonly unknown[],
  { maxBytes, timeoutMs }: BodyLimits,
): Promise<Uint8Array> {
  if (isBytes(req.rawBody)) return req.rawBody;
  if (isBytes(req.body)) return req.body;
  const bytes = kept.find(isBytes);
  if (bytes !== undefined) return bytes;
  if (req.destroyed && !req.readableEnded) throw bodyIncomplete();
  if (req.readableDidRead || !req.readable) throw alreadyParsed(req);
  if (req.readableFlowing !== null) return readStream(req, maxBytes, timeoutMs);
  // The parser hands a request over at the end of its headers, and a small body that came with them right after that. Until then
  // the stream is held, lest somebody who only watches it sets it flowing.
  req.pause();
  await undefined;
  return takeArrived(req, maxBytes) ?? readStream(req, maxBytes, timeoutMs);
}

function readStream(req: NodeRequest, maxBytes: number, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(bodyTimedOut(timeoutMs)), timeoutMs);
    // raw-body hears of an aborted request, but not of every way in which a stream can close early.
    const left = () => {
      clearTimeout(late);
      reject(bodyIncomplete());
    };
    req.once("close", left);
    getRawBody(req, { limit: maxBytes, length: req.headers["content-length"] ?? null }, (error, body) => {
      clearTimeout(late);
      req.off("close", left);
      if (error) reject(fromRawBody(error, req, maxBytes));
      else resolve(body);
    });
    // It was held. Only now, with raw-body listening: not every runtime puts off what a resumed stream has to tell.
    req.resume();
  });
}

function fromRawBody(error: getRawBody.RawBodyError, req: NodeRequest, maxBytes: number): WebhookError {
  switch (error.type) {
    case "entity.too.large":
      return bodyTooLarge(maxBytes);
    case "stream.encoding.set":
    case "stream.not.readable":
      return alreadyParsed(req);
    default:
      return bodyIncomplete(error);
  }
}

function alreadyParsed(req: NodeRequest): WebhookError {
  const found =
    req.body === undefined
      ? "something read the request's stream"
      : `a body parser left ${typeof req.body === "string" ? "a string" : "an object"} in req.body`;
  return bodyAlreadyParsed(found);
}

/** Sends a reply. A request whose body was left unread takes its connection with it, or its stream in HTTP/2. */
export function sendReply(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  const unread = leftUnread(req);
  for (const name in reply.headers) res.setHeader(name, reply.headers[name] as string);
  res.setHeader("content-length", Buffer.byteLength(reply.body));
  if (unread && !isHttp2(req)) res.setHeader("connection", "close");
  res.writeHead(reply.status);
  if (unread) lingerThenEnd(req, res, reply.body);
  else res.end(reply.body);
}

/** Whether a request has a body that nobody read to its end. */
export function leftUnread(req: IncomingMessage): boolean {
  if (req.readableEnded || wasTaken(req)) return false;
  const { headers } = req;
  return isHttp2(req) || headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function isHttp2(req: IncomingMessage): req is IncomingMessage & Http2ServerRequest {
  return req.httpVersionMajor >= 2;
}

const LINGER_MS = 1_000;

/**
 * Ends an answer to a sender that may still be writing. Closing at once would reset the connection, and with it goes the
 * answer that the sender has not read yet; so what it still sends is thrown away for a short while (RFC 9112, section 9.6).
 */
function lingerThenEnd(req: IncomingMessage, res: ServerResponse, body: string): void {
  const end = () => {
    clearTimeout(timer);
    req.off("end", end).off("close", end);
    res.end();
    if (isHttp2(req) && !req.readableEnded) req.stream.close();
  };
  const timer = setTimeout(end, LINGER_MS).unref();
  if (req.method !== "HEAD") res.write(body);
  if (req.destroyed) end();
  else req.once("end", end).once("close", end).resume();
}

/**
 * The status that the app answers, at the call of `res.end`, which is observed, not delayed. Neither `finish` nor `close`
 * would do: after the sender hung up `finish` never comes, and the work may still succeed. For a response that never ends
 * it stays pending, and the claim stands until `maxProcessingMs`.
 */
export function statusAtEnd(res: ServerResponse & { [WATCHED]?: Watch }): Promise<number> {
  return new Promise((resolve) => {
    if (res[WATCHED] !== undefined) {
      res[WATCHED].tell.push(resolve);
      return;
    }
    res[WATCHED] = { end: res.end as Watch["end"], tell: [resolve] };
    // One function for all responses: for a closure of each the engine would keep a shape of each.
    res.end = observedEnd as ServerResponse["end"];
  });
}

/** On a response whose end somebody waits for. */
const WATCHED: unique symbol = Symbol("bluum-webhooks: the end is observed");

interface Watch {
  readonly end: (...args: unknown[]) => ServerResponse;
  readonly tell: ((status: number) => void)[];
}

function observedEnd(this: ServerResponse & { [WATCHED]: Watch }, ...args: unknown[]): ServerResponse {
  const { end, tell } = this[WATCHED];
  const ended = end.apply(this, args);
  for (const resolve of tell) resolve(this.statusCode);
  return ended;
}

/**
 * Leaves what was read from the stream for the middleware that comes later: a body parser that met a drained stream would
 * fail, and a second receiver needs the bytes.
 */
export function leaveBody(req: object, { event, context }: AcceptedOutcome): void {
  const left: { body?: unknown; rawBody?: unknown; _body?: boolean } = req;
  left.rawBody ??= context.rawBody;
  if (!isBytes(left.body)) left.body = event.payload;
  // By this mark the body parsers of Express 4 know that there is nothing left to do.
  left._body = true;
}
