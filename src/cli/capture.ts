import { Buffer, isUtf8 } from "node:buffer";

/**
 * One delivery in a file, `<time>-<n>.json`: the exact bytes that were received. `listen --save` writes such files and `detect`
 * reads them. The body is text if it is UTF-8, else base64.
 */
export interface Capture {
  readonly version: 1;
  /** ISO 8601, by the clock of the machine that received it. */
  readonly receivedAt: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, in the order and case in which they were received. */
  readonly rawHeaders: readonly string[];
  /** The body as text; absent if its bytes are not UTF-8. */
  readonly body?: string;
  /** The body as base64, if its bytes are not UTF-8. */
  readonly bodyBase64?: string;
}

/** The fields of a capture, with the body as bytes. */
export interface CaptureFields extends Omit<Capture, "version" | "body" | "bodyBase64"> {
  readonly body: Uint8Array;
}

/** Builds a capture: the body becomes text if it is UTF-8, else base64. */
export function captureFrom({ body, ...fields }: CaptureFields): Capture {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const content = isUtf8(bytes) ? { body: bytes.toString("utf8") } : { bodyBase64: bytes.toString("base64") };
  return { version: 1, ...fields, ...content };
}

/** A capture and the name under which it is printed: its file's, for example. */
export interface NamedCapture {
  readonly name: string;
  readonly capture: Capture;
}

/** A captured delivery with its headers by name and its body as bytes. */
export interface CapturedDelivery {
  readonly name: string;
  readonly method: string;
  /** Path and query, or an absolute URL. */
  readonly url: string;
  readonly receivedAtMs: number;
  /** By lower-case name. Several values of one name are joined by commas, as a receiver joins them. */
  readonly headers: ReadonlyMap<string, CapturedHeader>;
  readonly body: Buffer;
}

/** A header in the case in which it was sent, and its value. */
interface CapturedHeader {
  readonly name: string;
  readonly value: string;
}

/** A header name that a scheme accepts (a token, RFC 9110, section 5.6.2). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,128}$/;

/** Decodes a capture. Headers whose names are no tokens are left out. */
export function decodeCapture({ name, capture }: NamedCapture): CapturedDelivery {
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

/** A header's name in the case in which it was sent. */
export function headerName(header: string, { headers }: CapturedDelivery): string {
  return headers.get(header)?.name ?? header;
}

function headersOf(rawHeaders: readonly string[]): Map<string, CapturedHeader> {
  const headers = new Map<string, CapturedHeader>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const value = (rawHeaders[index + 1] ?? "").trim();
    if (!TOKEN.test(name)) continue;
    const earlier = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), earlier ? { ...earlier, value: `${earlier.value}, ${value}` } : { name, value });
  }
  return headers;
}

function bodyOf({ body, bodyBase64 }: Capture): Buffer {
  return body === undefined ? Buffer.from(bodyBase64 ?? "", "base64") : Buffer.from(body, "utf8");
}
