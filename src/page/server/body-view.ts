import { Buffer } from "node:buffer";
import type { BodyView } from "../body.ts";

/** A longer body is cut. */
const SHOWN_BYTES = 64 * 1024;

/** @param bytes the length of the whole body, if only its beginning was kept */
export function bodyView(body: Buffer, bytes: number = body.byteLength): BodyView {
  const shown = body.subarray(0, SHOWN_BYTES);
  const text = shown.toString("utf8");
  return { text, bytes, altered: bytes > shown.byteLength || !Buffer.from(text, "utf8").equals(shown) };
}
