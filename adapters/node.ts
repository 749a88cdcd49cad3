import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Transform } from "node:stream";
import getRawBody from "raw-body";
import {
  BodyBuffer,
  bodyAlreadyParsed,
  bodyIncomplete,
  bodyTimedOut,
  bodyTooLarge,
  isBytes,
  isSuccess,
  refusal,
} from "../src/adapter.ts";
import {
  type AcceptedOutcome,
  type BodyLimits,
  type Delivery,
  type Receiver,
  type Reply,
  WebhookError,
} from "../src/index.ts";
import { takeArrived } from "./arrived.ts";

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
    const req = request as IncomingMessage;
    sendReply(req, response as ServerResponse, await receiver.handle(toDelivery(req)));
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
async function readBody(req: NodeRequest, kept: readonly unknown[], limits: BodyLimits): Promise<Uint8Array> {
  const bytes = bytesKept(req, kept);
  if (bytes !== undefined) return bytes;
  if (req.readableDidRead || !req.readable) throw drained(req);
  // Text is no longer the bytes that came.
  if (req.readableEncoding) throw alreadyParsed(req);
  const arrived = req.readableFlowing === null ? await takeArrived(req, limits) : undefined;
  return arrived ?? readStream(req, limits);
}

function bytesKept({ rawBody, body }: NodeRequest, kept: readonly unknown[]): Uint8Array | undefined {
  if (isBytes(rawBody)) return rawBody;
  return isBytes(body) ? body : kept.find(isBytes);
}

function drained(req: NodeRequest): WebhookError {
  return req.destroyed && !req.readableEnded ? bodyIncomplete() : alreadyParsed(req);
}

/**
 * raw-body reads the stream, and checks its length. It keeps every chunk until the end, so it gets the body in one: a sender of small
 * chunks would fill the memory otherwise.
 */
function readStream(req: NodeRequest, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits;
  const whole = inOneChunk(new BodyBuffer(limits));
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(late);
      req.off("error", left).off("close", left).unpipe(whole);
    };
    const fail = (error: WebhookError) => {
      stop();
      reject(error);
    };
    const left = (cause?: unknown) => {
      if (!req.readableEnded) fail(bodyIncomplete(cause));
    };
    const late = setTimeout(() => fail(bodyTimedOut(timeoutMs)), timeoutMs);
    req.once("error", left).once("close", left);
    getRawBody(whole, { limit: maxBytes, length: req.headers["content-length"] ?? null }, (error, body) => {
      if (error) return fail(fromRawBody(error, maxBytes));
      stop();
      resolve(body);
    });
    req.pipe(whole);
  });
}

/** Gathers a stream into one buffer, and passes it on as one chunk at the end. */
function inOneChunk(body: BodyBuffer): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      try {
        body.append(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush: (done) => done(null, body.bytes()),
  });
}

function fromRawBody(error: Error & { type?: string }, maxBytes: number): WebhookError {
  if (error instanceof WebhookError) return error;
  return error.type === "entity.too.large" ? bodyTooLarge(maxBytes) : bodyIncomplete(error);
}

const REMEDY =
  "mount the receiver before express.json(), koa-bodyparser and their like, or let them keep the raw bytes: express.json({ verify: (req, res, buffer) => { req.rawBody = buffer } })";

function alreadyParsed(req: NodeRequest): WebhookError {
  const found =
    req.body === undefined
      ? "something read the request's stream"
      : `a body parser left ${typeof req.body === "string" ? "a string" : "an object"} in req.body`;
  return bodyAlreadyParsed(found, REMEDY);
}

/** Sends a reply. A request whose body was left unread takes its connection with it, or its stream in HTTP/2. */
export function sendReply(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  const unread = leftUnread(req);
  if (unread && !isHttp2(req)) res.setHeader("connection", "close");
  res.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  if (unread) lingerThenEnd(req, res, reply.body);
  else endWith(res, reply.body);
}

/** Head and body in one packet and one part; `end(body)` alone sends them as two, which costs as much as checking a signature. */
function endWith(res: ServerResponse, body: string): void {
  const { socket } = res;
  // There is none while an earlier answer on the connection is on its way, and in HTTP/2 it is not to be touched.
  if (socket === null || isHttp2(res.req)) {
    res.end(body);
    return;
  }
  socket.cork();
  res.write(body);
  socket.uncork();
  res.end();
}

/** Whether a request has a body that nobody read to its end. */
export function leftUnread(req: IncomingMessage): boolean {
  if (req.readableEnded) return false;
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
 * Tells the status that the app answers, at the call of `res.end`, which is observed, not delayed. Neither `finish` nor `close`
 * would do: after the sender hung up `finish` never comes, and the work may still succeed. For a response that never ends
 * it stays untold, and the claim stands until `maxProcessingMs`.
 */
export function atEnd(res: ServerResponse, tell: (status: number) => void): void {
  const end = res.end as (...args: unknown[]) => ServerResponse;
  let ended = false;
  function observedEnd(this: ServerResponse, ...args: unknown[]): ServerResponse {
    const result = end.apply(this, args);
    if (!ended) tell(this.statusCode);
    ended = true;
    return result;
  }
  res.end = observedEnd as ServerResponse["end"];
}

/**
 * Keeps a 2xx from the sender once an event has failed: a 2xx answer becomes 500 `handler_failed`. Where the app writes the head or
 * streams the body itself, the status becomes 500 and the body stays the app's. A status that was sent before stands.
 */
export function refuseSuccess(res: ServerResponse): void {
  const end = res.end as (...args: unknown[]) => ServerResponse;
  const writeHead = res.writeHead as (status: number, ...rest: unknown[]) => ServerResponse;
  const { status: failure, headers, body } = refusal("handler_failed");
  function refusingEnd(this: ServerResponse, ...args: unknown[]): ServerResponse {
    if (this.headersSent || !isSuccess(this.statusCode)) return end.apply(this, args);
    const callback = args.find((arg) => typeof arg === "function");
    for (const name of this.getHeaderNames()) this.removeHeader(name);
    this.statusCode = failure;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    return end.call(this, body, callback);
  }
  function refusingWriteHead(this: ServerResponse, status: number, ...rest: unknown[]): ServerResponse {
    return writeHead.call(this, isSuccess(status) ? failure : status, ...rest);
  }
  res.end = refusingEnd as ServerResponse["end"];
  res.writeHead = refusingWriteHead as ServerResponse["writeHead"];
}

/**
 * Leaves what was read from the stream for the middleware that comes later: the bytes in `req.rawBody`, and the payload in
 * `req.body`, since a body parser that met a drained stream would fail.
 */
export function leaveBody(req: object, { event, context }: AcceptedOutcome): void {
  const left: { body?: unknown; rawBody?: unknown; _body?: boolean } = req;
  // By Reflect: an app may have an accessor of that name, which takes nothing.
  if (left.rawBody === undefined) Reflect.set(req, "rawBody", context.rawBody);
  if (!isBytes(left.body)) left.body = event.payload;
  // By this mark the body parsers of Express 4 know that there is nothing left to do.
  left._body = true;
}
