import type { IncomingMessage } from "node:http";
import { BodyBuffer, bodyIncomplete, bodyTimedOut, bodyTooLarge } from "../../adapter.ts";
import { BodyBudget } from "../../body.ts";
import { type BodyLimits, type Delivery, WebhookError } from "../../index.ts";

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

/** Returns the budget that all bodies share: the limits of each body, and of the memory that all of them take at once. */
export function bodyBudget(): BodyBudget {
  return new BodyBudget({ maxBytes: 1024 * 1024, timeoutMs: 10_000 });
}

/** Reads a request with its body. Never rejects. */
export async function readRequest(request: IncomingMessage, bodies: BodyBudget): Promise<ReceivedRequest> {
  const receivedAt = new Date();
  const receivedAtMs = performance.now();
  const body = await bodies.read((limits) => readBody(request, limits)).catch((error: WebhookError) => error);
  const { method = "", url = "/", rawHeaders, headers } = request;
  return { receivedAt, receivedAtMs, method, url, rawHeaders, headers, body };
}

/** The delivery for a receiver. */
export function deliveryOf({ method, headers, body }: ReceivedRequest): Delivery {
  if (!(body instanceof WebhookError)) return { method, headers, body };
  return { method, headers, body: () => Promise.reject(body) };
}

async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const body = new BodyBuffer(limits);
    const timer = setTimeout(() => fail(bodyTimedOut(timeoutMs)), timeoutMs);
    // The stream is not paused: the rest of the body is discarded, so that the sender can read the answer.
    const fail = (error: unknown) => {
      clearTimeout(timer);
      request.off("data", addChunk);
      reject(error);
    };
    const addChunk = (chunk: Uint8Array) => {
      try {
        body.append(chunk);
      } catch (error) {
        fail(error);
      }
    };
    request
      .on("data", addChunk)
      .once("error", fail)
      .once("close", () => fail(bodyIncomplete()));
    request.once("end", () => {
      clearTimeout(timer);
      resolve(body.bytes());
    });
    request.resume();
  });
}
