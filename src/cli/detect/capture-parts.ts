import { type Buffer, isUtf8 } from "node:buffer";
import type { Capture } from "../capture.ts";

/** What a capture is made of, however it was written down. */
export interface CaptureParts {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly receivedAt: string;
}

/** Makes the capture of its parts. */
export function captureFrom({ body, ...parts }: CaptureParts): Capture {
  const content = isUtf8(body) ? { body: body.toString("utf8") } : { bodyBase64: body.toString("base64") };
  return { version: 1, ...parts, ...content };
}
