import { type BodyLimits, type Delivery, type Receiver, type Reply, WebhookError } from "../src/index.ts";

/**
 * Mounts a receiver on anything that speaks `Request` and `Response`: its handlers run, it settles, it answers.
 *
 * @example
 * export const POST = bluumHandler(receiver);
 */
export function bluumHandler(receiver: Receiver): (request: Request) => Promise<Response> {
  return async function bluumFetchHandler(request) {
    return toResponse(await receiver.handle(toDelivery(request)), request);
  };
}

/** A fetch request as a delivery. Its body is read when the receiver asks for it. */
export function toDelivery(request: Request): Delivery {
  return { method: request.method, headers: request.headers, body: (limits) => readBody(request, limits), request };
}

/** A reply as a fetch response. A request whose body was left unread takes its connection with it. */
export function toResponse(reply: Reply, request: Request): Response {
  const unread = request.body !== null && !request.bodyUsed;
  return new Response(reply.body, { status: reply.status, headers: unread ? { ...reply.headers, connection: "close" } : reply.headers });
}

/** The exact bytes of a request, read within the limits. What something else has read is refused at once. */
export async function readBody(request: Request, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  if (request.bodyUsed || request.body?.locked) {
    throw new WebhookError("body_already_parsed", "something read the request's body, and the bytes that were signed are gone");
  }
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array(0);

  const reader = request.body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new WebhookError("body_timeout", `the body was not complete within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([readAll(reader, maxBytes), late]);
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(value);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function tooLarge(maxBytes: number): WebhookError {
  return new WebhookError("body_too_large", `the body is larger than maxBodyBytes (${maxBytes})`);
}
