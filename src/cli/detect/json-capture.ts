import { Buffer } from "node:buffer";
import type { Capture } from "../capture.ts";
import { captureFrom } from "./capture-parts.ts";
import { isRecord } from "./report/events.ts";

/**
 * Reads captures from JSON: what `listen --save` writes, a HAR (the requests of its entries), or an object with `headers` and
 * a `body`, as request bins export them.
 *
 * @returns why there is none, where there is none
 */
export function jsonCaptures(value: unknown, receivedAt: string): Capture[] | string {
  if (!isRecord(value)) return "is no captured request";
  const entries = isRecord(value.log) ? value.log.entries : undefined;
  if (!Array.isArray(entries)) return single(value, receivedAt);
  const requests = entries.slice(0, MAX_ENTRIES).map((entry) => (isRecord(entry) ? entry.request : undefined));
  const posts = requests.filter((request) => isRecord(request) && request.method === "POST");
  return collected(posts.map((request) => single(request as Record<string, unknown>, receivedAt)));
}

const MAX_ENTRIES = 1_000;

function collected(read: readonly (Capture[] | string)[]): Capture[] | string {
  const problem = read.find((one) => typeof one === "string");
  if (problem !== undefined) return problem;
  return read.length === 0 ? "holds no POST request" : (read.flat() as Capture[]);
}

function single(value: Readonly<Record<string, unknown>>, receivedAt: string): Capture[] | string {
  const rawHeaders = headersIn(value.rawHeaders ?? value.headers);
  if (rawHeaders === undefined) return "has no headers";
  const body = bodyIn(value);
  if (typeof body === "string") return body;
  return [
    captureFrom({
      method: text(value.method) ?? "POST",
      url: text(value.url) ?? text(value.path) ?? "/",
      rawHeaders,
      body,
      receivedAt: text(value.receivedAt) ?? receivedAt,
    }),
  ];
}

/** A list of names and values in turn, of `{ name, value }`, or a record whose values may be lists. */
function headersIn(headers: unknown): string[] | undefined {
  if (Array.isArray(headers)) {
    if (headers.every((one) => typeof one === "string")) return headers;
    const pairs = headers.map((one) => (isRecord(one) ? [text(one.name), text(one.value)] : []));
    return pairs.flat().every((one) => one !== undefined) ? (pairs.flat() as string[]) : undefined;
  }
  if (!isRecord(headers)) return undefined;
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => (typeof one === "string" ? [name, one] : [])),
  );
}

function bodyIn(value: Readonly<Record<string, unknown>>): Buffer | string {
  const { bodyBase64, postData } = value;
  if (typeof bodyBase64 === "string") return Buffer.from(bodyBase64, "base64");
  const body = value.body ?? value.rawBody ?? value.content ?? (isRecord(postData) ? postData.text : undefined) ?? "";
  if (typeof body === "string") return Buffer.from(body, "utf8");
  return "holds a body that was parsed already; a signature covers the bytes, and they are lost";
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
