import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BodyBuffer } from "../../body.ts";

/** A larger body is refused. */
const MAX_REQUEST_BYTES = 512 * 1024;

/** Headers of every answer: it may load nothing and be framed by nothing, and its type is not guessed. */
const SECURITY_HEADERS = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

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

/** Why a request's JSON could not be read. */
export type Unreadable = "not_json" | "too_large";

/** Reads a request's JSON object; an empty body is an empty object. Rejects only if the client disconnected. */
export async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>> | Unreadable> {
  const body = new BodyBuffer({ maxBytes: MAX_REQUEST_BYTES });
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength;
    // Read on to the end: a client that is still sending would not see the answer.
    if (bytes <= MAX_REQUEST_BYTES) body.append(chunk as Buffer);
    if (bytes > 16 * MAX_REQUEST_BYTES) break;
  }
  if (bytes > MAX_REQUEST_BYTES) return "too_large";
  return parsed(request, body.bytes());
}

function parsed(request: IncomingMessage, body: Uint8Array): Readonly<Record<string, unknown>> | Unreadable {
  if (body.byteLength === 0) return {};
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return "not_json";
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : "not_json";
  } catch {
    return "not_json";
  }
}
