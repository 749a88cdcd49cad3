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

/** A request that came, read as far as its bounds allow. */
export interface Arrival {
  readonly receivedAt: Date;
  /** The same by the monotonic clock, in milliseconds, for durations. */
  readonly receivedAtMs: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage["headers"];
  /** The exact bytes, or why there are none. */
  readonly body: Uint8Array | WebhookError;
}

/** What is read of a body, and how long it may take. */
const LIMITS: BodyLimits = { maxBytes: 1024 * 1024, timeoutMs: 10_000 };

/** Reads a request with its body. Never rejects. */
export async function arrivalOf(request: IncomingMessage, limits: BodyLimits = LIMITS): Promise<Arrival> {
  const receivedAt = new Date();
  const receivedAtMs = performance.now();
  const body = await bodyOf(request, limits).catch((error: unknown) =>
    error instanceof WebhookError ? error : bodyIncomplete(error),
  );
  const { method = "", url = "/", rawHeaders, headers } = request;
  return { receivedAt, receivedAtMs, method, url, rawHeaders, headers, body };
}

/** An arrival as a receiver takes it. */
export function deliveryOf({ method, headers, body }: Arrival): Delivery {
  if (!(body instanceof WebhookError)) return { method, headers, body };
  return { method, headers, body: () => Promise.reject(body) };
}

async function bodyOf(request: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(bodyTimedOut(timeoutMs)), timeoutMs);
    // What still comes is let go, so that the sender gets to read the answer.
    const fail = (error: unknown) => {
      clearTimeout(timer);
      request.off("data", keep);
      reject(error);
    };
    const keep = (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) fail(bodyTooLarge(maxBytes));
      else chunks.push(chunk);
    };
    request
      .on("data", keep)
      .once("error", fail)
      .once("close", () => fail(bodyIncomplete()));
    request.once("end", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    request.resume();
  });
}
