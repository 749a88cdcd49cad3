import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { SECURITY_HEADERS } from "../../page/server/headers.ts";
import { type Fields, readJson, type Unreadable } from "../../page/server/json-body.ts";

/** Sets the security headers of every answer. */
export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  answerText(response, status, JSON.stringify(value), "application/json; charset=utf-8");
}

/** Answers with text. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text, "utf8");
  response.writeHead(status, { "Content-Type": type, "Content-Length": body.byteLength }).end(body);
}

/** Reads a request's JSON object; an empty body is an empty object. Rejects only if the client disconnected. */
export function readFields(request: IncomingMessage): Promise<Fields | Unreadable> {
  return readJson(request, request.headers["content-type"]);
}
