import { BodyBuffer, type BodyLimits, bodyAlreadyParsed, bodyTimedOut, bodyTooLarge } from "../../src/adapter.ts";

const REMEDY = "mount the receiver before what reads the request, or let that read request.clone()";

/**
 * The exact bytes of a request, read within the limits. A body that was read by something else is refused at once.
 *
 * @param remedy what the operator should do if something else has read the body, for the log. @default read a clone of the request
 * @throws WebhookError `body_too_large`, `body_timeout`, `body_already_parsed` or `receiver_busy`; or what the stream throws
 */
export async function readBody(request: Request, limits: BodyLimits, remedy: string = REMEDY): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits;
  if (request.bodyUsed) throw alreadyRead(remedy);
  // Before `request.body` is used: some servers can skip a body only if no stream was made of it.
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  if (request.body === null) return new Uint8Array(0);
  if (request.body.locked) throw alreadyRead(remedy);

  const reader = request.body.getReader();
  const body = new BodyBuffer(limits);
  let stopped = false;
  const readAll = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || stopped) return body.bytes();
      body.append(value);
    }
  };
  try {
    const bytes = await withinTime(readAll(), timeoutMs);
    reader.releaseLock();
    return bytes;
  } catch (error) {
    stopped = true;
    void discardRest(reader);
    throw error;
  }
}

/**
 * Waits for a body up to a time limit.
 *
 * @throws WebhookError `body_timeout` after `timeoutMs`
 */
export function withinTime<T>(body: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(bodyTimedOut(timeoutMs)), timeoutMs);
    void body.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const LINGER_MS = 1_000;
const LINGER_READS = 10_000;

/**
 * Discards the rest of a body for a short time. A server resets a connection whose stream nobody reads, and a sender that is still
 * writing loses the answer with it.
 */
async function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const cancel = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(cancel, LINGER_MS);
  try {
    // The reads are counted too: reading a stream in memory leaves the timer no chance to run.
    for (let reads = 0; reads < LINGER_READS; reads++) if ((await reader.read()).done) break;
  } catch {
    // The sender has disconnected.
  }
  clearTimeout(timer);
  cancel();
}

/** The error for a body that was read by something else. */
export function alreadyRead(remedy: string): Error {
  return bodyAlreadyParsed("something read the request's body", remedy);
}
