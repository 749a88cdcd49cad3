import { Buffer } from "node:buffer";
import type { Capture } from "../capture.ts";
import { captureFrom } from "./capture-parts.ts";

/** Whether bytes begin as an HTTP request does. */
export function isRawRequest(bytes: Buffer): boolean {
  return REQUEST_LINE.test(
    bytes
      .subarray(0, 8 * 1024)
      .toString("latin1")
      .split(/\r?\n/, 1)[0] ?? "",
  );
}

/**
 * Reads an HTTP/1.1 request as it went over the wire, as netcat or a proxy saves it. Line breaks may be bare LF, as an editor
 * leaves them. A chunked body is put together; one that is longer than its Content-Length is cut there.
 *
 * @returns undefined where it is none
 */
export function rawRequest(bytes: Buffer, receivedAt: string): Capture | undefined {
  const [separator = ""] = /\r?\n\r?\n/.exec(bytes.subarray(0, MAX_HEAD_BYTES).toString("latin1")) ?? [];
  const end = separator === "" ? bytes.length : bytes.indexOf(separator, 0, "latin1");
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split(/\r?\n/);
  const [, method = "", url = ""] = REQUEST_LINE.exec(first) ?? [];
  if (method === "") return undefined;
  const rawHeaders = lines.flatMap(headerIn);
  const body = bodyIn(bytes.subarray(end + separator.length), rawHeaders);
  return body && captureFrom({ method, url, rawHeaders, body, receivedAt });
}

const REQUEST_LINE = /^([A-Z]{3,10}) (\S+) HTTP\/\d(?:\.\d)?\s*$/;
const MAX_HEAD_BYTES = 64 * 1024;
/** A chunk's size, with its extensions. A sign before it would lead backwards, for ever. */
const SIZE_LINE = /^([0-9a-f]{1,8})\s*(?:;.*)?\r?$/i;

function headerIn(line: string): string[] {
  const colon = line.indexOf(":");
  return colon < 1 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function bodyIn(rest: Buffer, rawHeaders: readonly string[]): Buffer | undefined {
  const value = (name: string) => {
    const place = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
    return place < 0 ? undefined : rawHeaders[place + 1];
  };
  if (/chunked\s*$/i.test(value("transfer-encoding") ?? "")) return dechunked(rest);
  const length = value("content-length");
  return length !== undefined && /^\d{1,9}$/.test(length) ? rest.subarray(0, Number(length)) : rest;
}

/** The chunks of RFC 9112, section 7.1, put together; undefined where they are none. */
function dechunked(rest: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  while (at < rest.length) {
    const lineEnd = rest.indexOf("\n", at);
    const [, digits] = (lineEnd >= 0 && SIZE_LINE.exec(rest.subarray(at, lineEnd).toString("latin1"))) || [];
    if (digits === undefined) return undefined;
    const size = Number.parseInt(digits, 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(rest.subarray(lineEnd + 1, lineEnd + 1 + size));
    // The line break after the chunk is skipped by looking for the next size.
    at = rest.indexOf("\n", lineEnd + 1 + size) + 1;
    if (at === 0) return undefined;
  }
  return undefined;
}
