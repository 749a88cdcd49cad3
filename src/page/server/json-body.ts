import { BodyBuffer } from "../../body.ts";

/** A larger body is refused. */
const MAX_REQUEST_BYTES = 512 * 1024;

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Why a request's JSON could not be read. */
export type Unreadable = "not_json" | "too_large";

/**
 * Reads a request's JSON object; an empty body is an empty object. Rejects only if the client disconnected.
 *
 * @param contentType the header, if there is one
 */
export async function readJson(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string | undefined,
): Promise<Fields | Unreadable> {
  const body = new BodyBuffer({ maxBytes: MAX_REQUEST_BYTES });
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    // Read on to the end: a client that is still sending would not see the answer.
    if (bytes <= MAX_REQUEST_BYTES) body.append(chunk);
    if (bytes > 16 * MAX_REQUEST_BYTES) break;
  }
  if (bytes > MAX_REQUEST_BYTES) return "too_large";
  return parsed(body.bytes(), contentType);
}

function parsed(body: Uint8Array, contentType = ""): Fields | Unreadable {
  if (body.byteLength === 0) return {};
  if (!/^application\/json\b/i.test(contentType)) return "not_json";
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Fields) : "not_json";
  } catch {
    return "not_json";
  }
}
