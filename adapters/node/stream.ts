import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import getRawBody from "raw-body";
import { BodyBuffer, bodyIncomplete, bodyTimedOut, bodyTooLarge, WebhookError } from "../../src/adapter.ts";
import type { BodyLimits } from "../../src/index.ts";

/**
 * Reads a request's stream with raw-body, which checks its length. raw-body keeps every chunk until the end, so it is given the
 * body as one chunk: otherwise a sender of very small chunks fills the memory.
 *
 * @throws WebhookError `body_too_large`, `body_timeout`, `body_incomplete` or `receiver_busy`
 */
export async function readStream(req: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits;
  const gathered = gatherer(new BodyBuffer(limits));
  // raw-body stops listening when it rejects; a later error of the stream must not end the process.
  gathered.on("error", () => {});
  const timer = setTimeout(() => gathered.destroy(bodyTimedOut(timeoutMs)), timeoutMs);
  const onEnd = (cause?: unknown) => {
    if (!req.readableEnded) gathered.destroy(bodyIncomplete(cause));
  };
  req.once("error", onEnd).once("close", onEnd).pipe(gathered);
  try {
    return await getRawBody(gathered, { limit: maxBytes, length: req.headers["content-length"] ?? null });
  } catch (error) {
    throw toWebhookError(error as RawBodyError, maxBytes);
  } finally {
    clearTimeout(timer);
    req.off("error", onEnd).off("close", onEnd).unpipe(gathered);
  }
}

/** Copies all chunks into one buffer, and passes it on as one chunk at the end. */
function gatherer(body: BodyBuffer): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      try {
        body.append(chunk);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush: (done) => done(null, body.bytes()),
  });
}

type RawBodyError = Error & { readonly type?: string };

function toWebhookError(error: RawBodyError, maxBytes: number): WebhookError {
  if (error instanceof WebhookError) return error;
  return error.type === "entity.too.large" ? bodyTooLarge(maxBytes) : bodyIncomplete(error);
}
