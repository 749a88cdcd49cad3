import { Buffer } from "node:buffer";
import type { Capture } from "../../capture.ts";

/** One captured delivery, made ready for the search. */
export interface Captured {
  /** How it is called in what is printed: its file, or its number. */
  readonly name: string;
  readonly method: string;
  /** Path and query, or an absolute URL. */
  readonly url: string;
  readonly receivedAtMs: number;
  /** By lower-case name; several values of one name are joined by commas, as a receiver joins them. */
  readonly headers: ReadonlyMap<string, CapturedHeader>;
  readonly body: Uint8Array;
}

/** A header as it came. */
interface CapturedHeader {
  /** In the case of the wire. */
  readonly name: string;
  readonly value: string;
}

/** A header's name must be one that a scheme can be given (RFC 9110, section 5.6.2: a token). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,128}$/;

/** Makes a capture ready for the search. */
export function capturedOf(capture: Capture, name: string): Captured {
  const receivedAtMs = Date.parse(capture.receivedAt);
  return {
    name,
    method: capture.method.toUpperCase(),
    url: capture.url,
    receivedAtMs: Number.isNaN(receivedAtMs) ? Date.now() : receivedAtMs,
    headers: headersOf(capture.rawHeaders),
    body: bodyOf(capture),
  };
}

function headersOf(rawHeaders: readonly string[]): Map<string, CapturedHeader> {
  const headers = new Map<string, CapturedHeader>();
  for (let place = 0; place + 1 < rawHeaders.length; place += 2) {
    const name = rawHeaders[place] ?? "";
    const value = (rawHeaders[place + 1] ?? "").trim();
    if (!TOKEN.test(name)) continue;
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before ? { ...before, value: `${before.value}, ${value}` } : { name, value });
  }
  return headers;
}

function bodyOf({ body, bodyBase64 }: Capture): Uint8Array {
  return body === undefined ? Buffer.from(bodyBase64 ?? "", "base64") : Buffer.from(body, "utf8");
}
