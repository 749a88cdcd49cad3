import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import {
  type BodyLimits,
  bodyIncomplete,
  bodyTimedOut,
  bodyTooLarge,
  type Delivery,
  WebhookError,
} from "../../index.ts";

/** A request with its body, read within the limits. */
export interface ReceivedRequest {
  readonly receivedAt: Date;
  /** The same time by the monotonic clock, for durations. */
  readonly receivedAtMs: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage["headers"];
  /** The exact bytes, or the reason why the body could not be read. */
  readonly body: Uint8Array | WebhookError;
}

const LIMITS: BodyLimits = { maxBytes: 1024 * 1024, timeoutMs: 10_000 };

/** Reads a request with its body. Never rejects. */
export async function readRequest(request: IncomingMessage, limits: BodyLimits = LIMITS): Promise<ReceivedRequest> {
  const receivedAt = new Date();
  const receivedAtMs = performance.now();
  const body = await readBody(request, limits).catch((error: unknown) =>
    error instanceof WebhookError ? error : bodyIncomplete(error),
  );
  const { method = "", url = "/", rawHeaders, headers } = request;
  return { receivedAt, receivedAtMs, method, url, rawHeaders, headers, body };
}

/** The delivery for a receiver. */
export function deliveryOf({ method, headers, body }: ReceivedRequest): Delivery {
  if (!(body instanceof WebhookError)) return { method, headers, body };
  return { method, headers, body: () => Promise.reject(body) };
}

async function readBody(request: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(bodyTimedOut(timeoutMs)), timeoutMs);
    // The stream is not paused: the rest of the body is discarded, so that the sender can read the answer.
    const fail = (error: unknown) => {
      clearTimeout(timer);
      request.off("data", addChunk);
      reject(error);
    };
    const addChunk = (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) fail(bodyTooLarge(maxBytes));
      else chunks.push(chunk);
    };
    request
      .on("data", addChunk)
      .once("error", fail)
      .once("close", () => fail(bodyIncomplete()));
    request.once("end", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    request.resume();
  });
}
