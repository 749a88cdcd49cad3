import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WebhookError } from "../../index.ts";
import { type Capture, captureFrom } from "../capture.ts";
import type { Arrival } from "./read-request.ts";

/** An arrival as it is kept, and examined; `undefined` where its body did not come whole. */
export function captureOf({ receivedAt, method, url, rawHeaders, body }: Arrival): Capture | undefined {
  if (body instanceof WebhookError) return undefined;
  return captureFrom({ receivedAt: receivedAt.toISOString(), method, url, rawHeaders, body });
}

/** More of one millisecond than this are a loop, not deliveries. */
const MOST_OF_ONE_TIME = 10_000;

/**
 * Writes a capture to a file of its own, `<time>-<n>.json`, for its owner's eyes only. It never writes over a file.
 *
 * @param folder is made where it is missing
 * @returns the file's path
 * @throws what the file system throws
 */
export async function saveCapture(folder: string, capture: Capture): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Colons are no part of a file's name everywhere.
  const time = capture.receivedAt.replaceAll(":", "-");
  const text = `${JSON.stringify(capture, null, 2)}\n`;
  for (let n = 1; ; n++) {
    const path = join(folder, `${time}-${n}.json`);
    try {
      await writeFile(path, text, { flag: "wx", mode: 0o600 });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || n >= MOST_OF_ONE_TIME) throw error;
    }
  }
}
