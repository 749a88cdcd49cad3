import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Incoming } from "./incoming.ts";

/** A Node request. A framework may have read its body already, and have left it parsed in `body`. */
export function fromNode(request: IncomingMessage & { readonly body?: unknown }): Incoming {
  const { method = "GET", url = "", headers } = request;
  const at = url.indexOf("?");
  return {
    method,
    query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)),
    // HTTP/2 has the host in `:authority`.
    header: (name) => (headers[name] ?? (name === "host" ? headers[":authority"] : undefined))?.toString(),
    body: request.readableEnded ? parsed(request.body) : request,
  };
}

async function* parsed(body: unknown): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  yield body instanceof Uint8Array ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** Sends an answer. It replaces headers that the app has set before, and never rejects: a client that left needs no answer. */
export async function sendTo(response: ServerResponse, answer: Response): Promise<void> {
  if (response.headersSent || response.destroyed) return void answer.body?.cancel();
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.body === null) return void response.end();
  await pipeline(Readable.fromWeb(answer.body as ReadableStream<Uint8Array>), response).catch(() => {});
}
