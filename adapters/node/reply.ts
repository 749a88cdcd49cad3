import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { isSuccess, type Reply } from "../../src/adapter.ts";
import { refuseSuccess } from "./response-end.ts";

/** Sends a reply. If the request's body is unread, its connection ends too (in HTTP/2, its stream). */
export function sendReply(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  // Middleware further out may change the status.
  if (!isSuccess(reply.status)) refuseSuccess(res, reply);
  const unread = leftUnread(req);
  if (unread && !isHttp2(req)) res.setHeader("connection", "close");
  res.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  if (unread) lingerThenEnd(req, res, reply.body);
  else res.end(reply.body);
}

/** Whether a request has a body that nobody has read to its end. */
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
 * Ends an answer to a sender that may still be writing. Closing at once would reset the connection, and the sender would lose the
 * answer; so the rest of the body is discarded for a short time first (RFC 9112, section 9.6).
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
