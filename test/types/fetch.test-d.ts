import { type BluumFetchHandler, bluumHandler, type WaitsUntil } from "../../adapters/fetch.ts";
import type { Receiver } from "../../src/index.ts";
import { type Equal, expectType, use } from "./equal.ts";

declare const receiver: Receiver;
declare const request: Request;

expectType<Equal<ReturnType<typeof bluumHandler>, BluumFetchHandler>>();
const handler = bluumHandler(receiver);

// As each framework calls it: Bun, Deno and React Router's kin; Next.js; Workers; SvelteKit and Astro.
const plain: (request: Request) => Promise<Response> = handler;
const next: (request: Request & { nextUrl: URL }, context: { params: Promise<object> }) => Promise<Response> = handler;
const worker: (request: Request, env: { SECRET: string }, context: WaitsUntil) => Promise<Response> = handler;
const event: (event: { request: Request; params: object; platform?: object }) => Promise<Response> = handler;
use(plain, next, worker, event);

void handler(request, { waitUntil: (work: Promise<unknown>) => void work });

// @ts-expect-error there is no request in it
void handler({ body: "" });
// @ts-expect-error the handler needs a receiver that has handlers
bluumHandler({ secret: "" });
