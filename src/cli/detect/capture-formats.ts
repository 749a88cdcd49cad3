import { Buffer } from "node:buffer";
import { type Capture, captureFrom } from "../capture.ts";
import { isRecord } from "../json.ts";

/**
 * Reads the captures in a file: a raw HTTP request or JSON, which is a capture of `listen --save`, a HAR, or an object with
 * `headers` and a `body` as request bins export it.
 *
 * @param receivedAt ISO 8601, for formats without a time
 * @returns the captures, or the reason why the file is refused
 */
export function parseCaptures(bytes: Buffer, receivedAt: string): Capture[] | string {
  if (isHttpRequest(bytes)) {
    const capture = parseHttpRequest(bytes, receivedAt);
    return capture ? [capture] : "is an HTTP request with an incomplete body";
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return "is neither JSON nor an HTTP request";
  }
  return parseJsonCaptures(value, receivedAt);
}

const REQUEST_LINE = /^([A-Z]{3,10}) (\S+) HTTP\/\d(?:\.\d)?\s*$/;
const MAX_REQUEST_LINE_BYTES = 8 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;

function isHttpRequest(bytes: Buffer): boolean {
  const [line = ""] = bytes.subarray(0, MAX_REQUEST_LINE_BYTES).toString("latin1").split(/\r?\n/, 1);
  return REQUEST_LINE.test(line);
}

/**
 * Parses an HTTP/1.1 request as netcat or a proxy saves it. Line breaks may be bare LF, as editors write them. Bytes after the
 * Content-Length are ignored.
 *
 * @returns undefined if the body is incomplete
 */
function parseHttpRequest(bytes: Buffer, receivedAt: string): Capture | undefined {
  const [separator = ""] = /\r?\n\r?\n/.exec(bytes.subarray(0, MAX_HEAD_BYTES).toString("latin1")) ?? [];
  const end = separator === "" ? bytes.length : bytes.indexOf(separator, 0, "latin1");
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split(/\r?\n/);
  const [, method = "", url = ""] = REQUEST_LINE.exec(first) ?? [];
  const rawHeaders = lines.flatMap(parseHeader);
  const body = readBody(bytes.subarray(end + separator.length), rawHeaders);
  return body && captureFrom({ method, url, rawHeaders, body, receivedAt });
}

function parseHeader(line: string): string[] {
  const colon = line.indexOf(":");
  return colon < 1 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function readBody(rest: Buffer, rawHeaders: readonly string[]): Buffer | undefined {
  const value = (name: string) => {
    const index = rawHeaders.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === name);
    return index < 0 ? undefined : rawHeaders[index + 1];
  };
  if (/chunked\s*$/i.test(value("transfer-encoding") ?? "")) return decodeChunks(rest);
  const length = value("content-length");
  return length !== undefined && /^\d{1,9}$/.test(length) ? rest.subarray(0, Number(length)) : rest;
}

/** The size of a chunk and its extensions. A sign is refused: a negative size would loop forever. */
const SIZE_LINE = /^([0-9a-f]{1,8})\s*(?:;.*)?\r?$/i;

/** Joins the chunks of a body (RFC 9112, section 7.1); undefined if they are malformed or incomplete. */
function decodeChunks(rest: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  while (at < rest.length) {
    const lineEnd = rest.indexOf("\n", at);
    const [, digits] = (lineEnd >= 0 && SIZE_LINE.exec(rest.subarray(at, lineEnd).toString("latin1"))) || [];
    if (digits === undefined) return undefined;
    const size = Number.parseInt(digits, 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(rest.subarray(lineEnd + 1, lineEnd + 1 + size));
    // The next size follows the line break after the chunk.
    at = rest.indexOf("\n", lineEnd + 1 + size) + 1;
    if (at === 0) return undefined;
  }
  return undefined;
}

const MAX_HAR_ENTRIES = 1_000;

function parseJsonCaptures(value: unknown, receivedAt: string): Capture[] | string {
  if (!isRecord(value)) return "is not a captured request";
  const entries = isRecord(value.log) ? value.log.entries : undefined;
  return Array.isArray(entries) ? parseHar(entries, receivedAt) : parseJsonRequest(value, receivedAt);
}

function parseHar(entries: readonly unknown[], receivedAt: string): Capture[] | string {
  const captures: Capture[] = [];
  for (const entry of entries.slice(0, MAX_HAR_ENTRIES)) {
    const request = isRecord(entry) ? entry.request : undefined;
    if (!isRecord(request) || request.method !== "POST") continue;
    const parsed = parseJsonRequest(request, receivedAt);
    if (typeof parsed === "string") return parsed;
    captures.push(...parsed);
  }
  return captures.length === 0 ? "holds no POST request" : captures;
}

function parseJsonRequest(value: Readonly<Record<string, unknown>>, receivedAt: string): Capture[] | string {
  const rawHeaders = readHeaders(value.rawHeaders ?? value.headers);
  if (rawHeaders === undefined) return "has no headers";
  const body = readJsonBody(value);
  if (body === undefined)
    return "holds a body that is already parsed; a signature covers the exact bytes, which are lost";
  const capture = captureFrom({
    method: stringOf(value.method) ?? "POST",
    url: stringOf(value.url) ?? stringOf(value.path) ?? "/",
    rawHeaders,
    body,
    receivedAt: stringOf(value.receivedAt) ?? receivedAt,
  });
  return [capture];
}

/** Reads a list of names and values in turn, a list of `{ name, value }`, or an object whose values may be lists. */
function readHeaders(headers: unknown): string[] | undefined {
  if (Array.isArray(headers)) {
    if (headers.every((one) => typeof one === "string")) return headers;
    const pairs = headers.flatMap((one) => (isRecord(one) ? [stringOf(one.name), stringOf(one.value)] : []));
    return pairs.includes(undefined) ? undefined : (pairs as string[]);
  }
  if (!isRecord(headers)) return undefined;
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (typeof one === "string" ? [name, one] : [])),
  );
}

/** The body's bytes; undefined if the body is not a string. */
function readJsonBody(value: Readonly<Record<string, unknown>>): Buffer | undefined {
  const { bodyBase64, postData } = value;
  if (typeof bodyBase64 === "string") return Buffer.from(bodyBase64, "base64");
  const body = value.body ?? value.rawBody ?? value.content ?? (isRecord(postData) ? postData.text : undefined) ?? "";
  return typeof body === "string" ? Buffer.from(body, "utf8") : undefined;
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
