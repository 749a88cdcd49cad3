// The frameworks of the fetch family, except Hono. Elysia, h3, React Router and Astro's endpoint pipeline run themselves. Next.js and
// SvelteKit need a build, so only the part that makes their request runs: NextRequest, and SvelteKit's getRequest.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequest, setResponse } from "@sveltejs/kit/node";
import { experimental_AstroContainer as AstroContainer } from "astro/container";
import { Elysia } from "elysia";
import { fromWebHandler, H3 } from "h3";
import { toNodeHandler } from "h3/node";
import * as h3v1 from "h3-v1";
import { NodeNextRequest } from "next/dist/server/base-http/node.js";
import { NextRequestAdapter } from "next/dist/server/web/spec-extension/adapters/next-request.js";
import { NextRequest } from "next/server.js";
import { createRequestHandler, type ServerBuild } from "react-router";
import { describe, expect, it } from "vitest";
import { type BluumFetchHandler, bluumHandler } from "../../../adapters/fetch.ts";
import type { Receiver } from "../../../src/index.ts";
import { handlerMember } from "../contract/handler.ts";
import { expectAlreadyParsed, expectTrueBytes, quietReceiver } from "../contract/mounts.ts";
import { type Endpoint, inProcess, listen, PATH, type Sending } from "../contract/sender.ts";
import { event, gate, signed } from "../contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "../contract.ts";

expectNothingToEscape();

type App = (request: Request) => Response | Promise<Response>;

/** A route of React Router: a build with one resource route, as its compiler makes it, and its own request handler. */
function reactRouter(action: (args: { request: Request }) => Promise<Response>): App {
  const route = { id: "bluum", path: PATH.slice(1), module: { action, loader: action } };
  const build = {
    ...{ entry: { module: { default: () => new Response("no page") } }, routes: { bluum: route } },
    ...{ assets: { routes: {}, entry: {}, url: "", version: "" }, basename: "/", publicPath: "/", future: {} },
    ...{ isSpaMode: false, ssr: true, prerender: [], routeDiscovery: { mode: "initial" }, assetsBuildDirectory: "" },
  };
  return createRequestHandler(build as unknown as ServerBuild, "production");
}

const astro = await AstroContainer.create();

/** Astro's own pipeline, which makes the endpoint's `APIContext`. */
function astroEndpoint(endpoint: object): App {
  return (request) => astro.renderToResponse(endpoint as never, { routeType: "endpoint", request });
}

/** Next's own request, as its server makes it of Node's, and the second argument of a route handler. */
function nextRoute(route: (request: NextRequest, context: object) => Promise<Response>) {
  return async (req: IncomingMessage, res: ServerResponse) => {
    const { signal } = new AbortController();
    const request = NextRequestAdapter.fromNodeNextRequest(new NodeNextRequest(req), signal);
    await setResponse(res, await route(request, { params: Promise.resolve({}) }));
  };
}

/** SvelteKit's own request and response over Node, and the used fields of its `RequestEvent`. */
function svelteKitEndpoint(endpoint: BluumFetchHandler) {
  return async (req: IncomingMessage, res: ServerResponse) => {
    const request = await getRequest({ request: req, base: "http://localhost" });
    await setResponse(res, await endpoint({ request, ...{ params: {}, locals: {}, platform: undefined } }));
  };
}

function elysiaApp(receiver: Receiver) {
  return new Elysia().all(PATH, bluumHandler(receiver), { parse: "none" });
}

/** The headers, with a malformed value for each empty one. */
function withValues(headers: Sending["headers"] = {}): NonNullable<Sending["headers"]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value === "" ? "," : value]));
}

/** Every framework, whether it is tried with raw sockets, and how it is started. */
const FRAMEWORKS: readonly (readonly [string, boolean, (receiver: Receiver) => Promise<Endpoint>])[] = [
  ["Elysia, app.handle", false, async (receiver) => inProcess((request) => elysiaApp(receiver).handle(request))],
  [
    "h3 2",
    false,
    async (receiver) => {
      const handler = bluumHandler(receiver);
      return listen(createServer(toNodeHandler(new H3().all(PATH, (event) => handler(event.req, event)))));
    },
  ],
  [
    "h3 2, fromWebHandler",
    false,
    async (receiver) => {
      const app = new H3().all(PATH, fromWebHandler(bluumHandler(receiver)));
      return inProcess((request) => app.fetch(request));
    },
  ],
  [
    "h3 1",
    false,
    async (receiver) => {
      const handler = bluumHandler(receiver);
      const app = h3v1.createApp();
      app.use(
        PATH,
        h3v1.eventHandler((event) => handler(h3v1.toWebRequest(event), event)),
      );
      const endpoint = await listen(createServer(h3v1.toNodeListener(app)));
      // Its toWebRequest drops headers without a value.
      return { ...endpoint, send: (sending) => endpoint.send({ ...sending, headers: withValues(sending.headers) }) };
    },
  ],
  ["React Router 7", false, async (receiver) => inProcess(reactRouter(bluumHandler(receiver)))],
  [
    "Astro 5",
    false,
    async (receiver) => {
      const app = astroEndpoint({ ALL: bluumHandler(receiver) });
      return inProcess(app);
    },
  ],
  ["Next.js 16's request", false, async (receiver) => listen(createServer(nextRoute(bluumHandler(receiver))))],
  [
    "SvelteKit 2's request",
    false,
    async (receiver) => {
      const endpoint = await listen(createServer(svelteKitEndpoint(bluumHandler(receiver))));
      // SvelteKit drops the body of a request without a Content-Type.
      const headers = { "content-type": "application/json" };
      return {
        ...endpoint,
        send: (sending) => endpoint.send({ ...sending, headers: { ...headers, ...sending.headers } }),
      };
    },
  ],
];

for (const [name, overSockets, start] of FRAMEWORKS) {
  describeAdapterContract(handlerMember(name, overSockets, start));

  describe.concurrent(`${name}: true bytes`, () => {
    for (const chunkBytes of [undefined, 7])
      it(chunkBytes === undefined ? "of a body with a Content-Length" : "of a body in chunks", () =>
        expectTrueBytes(
          ({ receiver, reached }) => start(receiver.on("*", (event) => reached(event))),
          chunkBytes === undefined ? {} : { chunkBytes },
        ),
      );
  });
}

describe("the fetch family: body_already_parsed, if a framework read the body first", () => {
  it("Elysia without parse: 'none'", () =>
    expectAlreadyParsed(async ({ receiver }) => {
      const handler = bluumHandler(receiver.on("*", () => {}));
      const app = new Elysia().post(PATH, ({ request, body }) => (body === undefined ? "" : handler(request)));
      return inProcess((request) => app.handle(request));
    }));
  it("an action of React Router that read the form data", () =>
    expectAlreadyParsed(async ({ receiver }) => {
      const handler = bluumHandler(receiver.on("*", () => {}));
      return inProcess(
        reactRouter(async ({ request }) => {
          await request.text();
          return handler({ request });
        }),
      );
    }));
  it("a middleware of h3 that read the JSON", () =>
    expectAlreadyParsed(async ({ receiver }) => {
      const handler = bluumHandler(receiver.on("*", () => {}));
      const app = new H3().use(async (event) => void (await event.req.json()));
      app.post(PATH, (event) => handler(event.req, event));
      return inProcess((request) => app.fetch(request));
    }));
  it("a route handler of Next.js that read the JSON", () =>
    expectAlreadyParsed(async ({ receiver }) => {
      const handler = bluumHandler(receiver.on("*", () => {}));
      const route = async (request: NextRequest) => {
        await request.json();
        return handler(request);
      };
      return listen(createServer(nextRoute(route)));
    }));
});

describe("the fetch family: work that may go on after the answer", () => {
  const working = () => {
    const done = gate();
    const handler = bluumHandler(quietReceiver().on("*", () => done.opened));
    const request = new Request(`http://localhost${PATH}`, signed(event()) as RequestInit);
    return { done, handler, request };
  };
  /** Like the context of Cloudflare, whose method throws without its `this`. */
  class ExecutionContext {
    readonly #held: Promise<unknown>[] = [];
    waitUntil(work: Promise<unknown>): void {
      this.#held.push(work);
    }
    get held(): number {
      return this.#held.length;
    }
  }

  it("is passed to the context of fetch(request, env, context), as in Workers", async () => {
    const { done, handler, request } = working();
    const context = new ExecutionContext();
    done.open();
    expect((await handler(request, { SECRET: "" }, context)).status).toBe(200);
    expect(context.held).toBe(1);
  });

  it("is passed to an own waitUntil beside a framework's event", async () => {
    const { done, handler, request } = working();
    const held: Promise<unknown>[] = [];
    const answer = handler({ request }, { waitUntil: (work: Promise<unknown>) => held.push(work) });
    done.open();
    expect((await answer).status).toBe(200);
    expect(held).toHaveLength(1);
  });

  it("is passed to the waitUntil of a request, as in h3 and Nitro", async () => {
    const { done, handler, request } = working();
    const context = new ExecutionContext();
    done.open();
    await handler(Object.assign(request, { waitUntil: (work: Promise<unknown>) => context.waitUntil(work) }));
    expect(context.held).toBe(1);
  });

  it("is passed to the event of h3", async () => {
    const { done, handler, request } = working();
    const context = new ExecutionContext();
    done.open();
    const app = new H3().post(PATH, (each) => handler(each.req, each));
    await app.fetch(Object.assign(request, { waitUntil: (work: Promise<unknown>) => context.waitUntil(work) }));
    expect(context.held).toBe(1);
  });

  it("is done before the answer, if there is no waitUntil", async () => {
    const { done, handler, request } = working();
    done.open();
    expect((await handler(request)).status).toBe(200);
    expect(NextRequest.prototype).not.toHaveProperty("waitUntil");
  });
});
