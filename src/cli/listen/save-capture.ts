import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WebhookError } from "../../index.ts";
import { type Capture, captureFrom } from "../capture.ts";
import type { ReceivedRequest } from "./read-request.ts";

/** The capture of a request; `undefined` if its body could not be read. */
export function captureOf({ receivedAt, method, url, rawHeaders, body }: ReceivedRequest): Capture | undefined {
  if (body instanceof WebhookError) return undefined;
  return captureFrom({ receivedAt: receivedAt.toISOString(), method, url, rawHeaders, body });
}

/** The most captures of one millisecond. */
const MAX_PER_MILLISECOND = 10_000;

/**
 * Writes a capture to a new file, `<time>-<n>.json`, that only its owner can read. It never overwrites a file.
 *
 * @param folder is created if it is missing
 * @returns the file's path
 * @throws the error of the file system
 */
export async function saveCapture(folder: string, capture: Capture): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Windows allows no colons in file names.
  const time = capture.receivedAt.replaceAll(":", "-");
  const text = `${JSON.stringify(capture, null, 2)}\n`;
  for (let n = 1; ; n++) {
    const path = join(folder, `${time}-${n}.json`);
    try {
      await writeFile(path, text, { flag: "wx", mode: 0o600 });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || n >= MAX_PER_MILLISECOND) throw error;
    }
  }
}
