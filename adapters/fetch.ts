import { BodyBuffer, bodyAlreadyParsed, bodyTimedOut, bodyTooLarge } from "../src/adapter.ts";
import type { BodyLimits, Delivery, Receiver, Reply, WebhookError } from "../src/index.ts";

/** What holds a runtime until some work is done: an `ExecutionContext` of Cloudflare Workers, an event of Nitro, or your own. */
export interface WaitsUntil {
  waitUntil(work: Promise<unknown>): void;
}

/**
 * A handler for anything that speaks `Request` and `Response`. It takes the request, or an object that has it as its
 * `request`. The first of the other arguments, or else the request itself, that has a `waitUntil` is handed the work that may
 * go on after the answer.
 */
export type BluumFetchHandler = (
  request: Request | { readonly request: Request },
  ...others: readonly unknown[]
) => Promise<Response>;

/**
 * Mounts a receiver on anything that speaks `Request` and `Response`: its handlers run, it settles, it answers. The promise
 * never rejects.
 *
 * @example
 * export const POST = bluumHandler(receiver); // Next.js, SvelteKit, Astro
 * export default { fetch: bluumHandler(receiver) }; // Cloudflare Workers, Bun, Deno
 */
export function bluumHandler(receiver: Receiver): BluumFetchHandler {
  return async function bluumFetchHandler(first, ...others) {
    const request = (first as { request?: Request }).request ?? (first as Request);
    const holder = [...others, request].find(canWait);
    // Called on its holder: Cloudflare's refuses to be called without.
    const waitUntil = holder && ((work: Promise<unknown>) => holder.waitUntil(work));
    return toResponse(await receiver.handle({ ...toDelivery(request), waitUntil }));
  };
}

function canWait(value: unknown): value is WaitsUntil {
  return typeof (value as Partial<WaitsUntil> | null | undefined)?.waitUntil === "function";
}

/** A fetch request as a delivery. Its body is read when the receiver asks for it. */
export function toDelivery(request: Request): Delivery {
  return { method: request.method, headers: request.headers, body: (limits) => readBody(request, limits), request };
}

/**
 * A reply as a fetch response. What becomes of the connection of a request whose body was left unread is the server's to
 * say: a `connection: close` from here would make some of them reset it under a sender that is still writing.
 */
export function toResponse({ status, headers, body }: Reply): Response {
  return new Response(body, { status, headers });
}

const REMEDY = "mount the receiver before what reads the request, or let that read request.clone()";

/**
 * The exact bytes of a request, read within the limits. What something else has read is refused at once.
 *
 * @param remedy what the operator should do if something else has read the body, for the log. @default read a clone of the request
 * @throws WebhookError `body_too_large`, `body_timeout`, `body_already_parsed` or `receiver_busy`; or what the stream throws
 */
export async function readBody(request: Request, limits: BodyLimits, remedy: string = REMEDY): Promise<Uint8Array> {
  const { maxBytes, timeoutMs } = limits;
  if (request.bodyUsed) throw alreadyParsed(remedy);
  // Before the body is touched: some servers can only skip a body of which no stream was made.
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw bodyTooLarge(maxBytes);
  if (request.body === null) return new Uint8Array(0);
  if (request.body.locked) throw alreadyParsed(remedy);

  const reader = request.body.getReader();
  const body = new BodyBuffer(limits);
  let timedOut = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      timedOut = true;
      reject(bodyTimedOut(timeoutMs));
    }, timeoutMs);
  });
  const readAll = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || timedOut) return body.bytes();
      body.append(value);
    }
  };
  try {
    return await Promise.race([readAll(), late]);
  } catch (error) {
    void discardRest(reader);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const LINGER_MS = 1_000;
const LINGER_READS = 10_000;

/**
 * Throws away, for a short while, what is left of a body. A server whose connection is stuck in a stream that nobody reads
 * resets it in the end, and a sender that is still writing loses the answer with it.
 */
async function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const cancel = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(cancel, LINGER_MS);
  try {
    // Counted, too: a stream in memory is read without a pause in which the timer could run.
    for (let reads = 0; reads < LINGER_READS; reads++) if ((await reader.read()).done) break;
  } catch {
    // The sender has left.
  }
  clearTimeout(timer);
  cancel();
}

function alreadyParsed(remedy: string): WebhookError {
  return bodyAlreadyParsed("something read the request's body", remedy);
}
