/**
 * Mounts a receiver on every server that takes a `Request` and returns a `Response`.
 *
 * @example
 * import { createReceiver } from "bluum-webhooks";
 * import { bluumHandler } from "bluum-webhooks/fetch";
 *
 * const receiver = createReceiver({ secret: process.env.BLUUM_WEBHOOK_SECRET });
 * receiver.on("order.*", async (event) => console.log(event.type));
 * export const POST = bluumHandler(receiver);
 *
 * @module bluum-webhooks/fetch
 */

import type { Delivery, Receiver, Reply } from "../src/index.ts";
import { readBody } from "./fetch/body.ts";

export { readBody } from "./fetch/body.ts";

/** Keeps a runtime alive until work is done: a context of Cloudflare Workers or Pages, an event of Nitro, or your own. */
export interface WaitsUntil {
  waitUntil(work: Promise<unknown>): void;
}

/**
 * A handler for every server that uses `Request` and `Response`. Its first argument is the request, or an object with a `request`.
 * The first of the other arguments that has a `waitUntil`, or else the request, or the object with it, gets the work that may go on
 * after the answer.
 */
export type BluumFetchHandler = (
  request: Request | { readonly request: Request },
  ...others: readonly unknown[]
) => Promise<Response>;

/**
 * Mounts a receiver on a server that uses `Request` and `Response`: runs its handlers, settles, and answers. The promise never
 * rejects.
 *
 * @example
 * export const POST = bluumHandler(receiver); // Next.js, SvelteKit, Astro
 * export default { fetch: bluumHandler(receiver) }; // Cloudflare Workers, Bun, Deno
 */
export function bluumHandler(receiver: Receiver): BluumFetchHandler {
  return async function bluumFetchHandler(first, ...others) {
    const request = (first as { request?: Request }).request ?? (first as Request);
    const holder = [...others, request, first].find(canWait);
    // As a method of its holder: Cloudflare's throws without its `this`.
    const waitUntil = holder && ((work: Promise<unknown>) => holder.waitUntil(work));
    return toResponse(await receiver.handle({ ...toDelivery(request), waitUntil }));
  };
}

function canWait(value: unknown): value is WaitsUntil {
  return typeof (value as Partial<WaitsUntil> | null | undefined)?.waitUntil === "function";
}

/** A fetch request as a delivery. The receiver reads its body when it needs it. */
export function toDelivery(request: Request): Delivery {
  return { method: request.method, headers: request.headers, body: (limits) => readBody(request, limits), request };
}

/**
 * A reply as a fetch response. The server decides about the connection of a request whose body is unread: a `connection: close` from
 * here makes some servers reset it while the sender is still writing.
 */
export function toResponse({ status, headers, body }: Reply): Response {
  return new Response(body, { status, headers });
}
