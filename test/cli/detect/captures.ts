import { createHmac } from "node:crypto";
import type { Capture, NamedCapture } from "../../../src/cli/capture.ts";

/** 2025-06-15T15:06:40Z, a whole second. */
export const NOW = 1_750_000_000_000;
export const SECONDS = String(NOW / 1_000);

export const SECRET = "a secret of 16 bytes or more";

/** A body as the provider documents it, with white space and escapes that JSON.stringify would change. */
export const BODY =
  '{"event":"order.filled", "timestamp":"2025-06-15T14:30:15Z","data":{"id":"ord_1","note":"caf\\u00e9","price":10.00}}';

/** The content of a capture. */
export interface CaptureOf {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly url?: string;
  readonly name?: string;
  readonly method?: string;
}

/** A capture, with the headers that every request has. */
export function captured({
  headers,
  body = BODY,
  url = "/webhooks/bluum",
  name = "one.json",
  method = "POST",
}: CaptureOf): NamedCapture {
  const own = Object.entries(headers).flatMap(([header, value]) => [value].flat().flatMap((one) => [header, one]));
  const capture: Capture = {
    version: 1,
    receivedAt: new Date(NOW + 400).toISOString(),
    method,
    url,
    rawHeaders: [
      ...["Host", "hooks.example.com", "User-Agent", "Bluum/1.0", "Accept", "*/*", "Content-Type", "application/json"],
      ...("Content-Length" in headers ? [] : ["Content-Length", String(Buffer.byteLength(body))]),
      ...["Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
      ...own,
    ],
    body,
  };
  return { name, capture };
}

/** An HMAC, computed without the package. */
export function hmac(algorithm: string, key: string | Uint8Array, ...parts: readonly string[]): Buffer {
  return createHmac(algorithm, key)
    .update(Buffer.from(parts.join(""), "utf8"))
    .digest();
}

/** The headers of a capture as a receiver gets them. */
export function headersOf({ rawHeaders }: Capture): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? (rawHeaders[at + 1] ?? "") : `${before}, ${rawHeaders[at + 1]}`;
  }
  return headers;
}
