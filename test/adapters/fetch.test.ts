import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/fetch.ts";
import type { DedupeStore } from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { lostClaims } from "./contract/lost-claims.ts";
import { quietReceiver } from "./contract/mounts.ts";
import { inProcess, PATH } from "./contract/sender.ts";
import { event, signed, until } from "./contract/trial.ts";
import { describeWholeContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

describeWholeContract(handlerMember("fetch, handler", false, async (receiver) => inProcess(bluumHandler(receiver))));

describe.concurrent("fetch, handler: waitUntil", () => {
  const make = () => new Request(`http://localhost${PATH}`, signed() as RequestInit);
  /** The arguments of a server whose `waitUntil` is the given function. */
  type Arguments = (waitUntil: (work: Promise<unknown>) => void) => Parameters<ReturnType<typeof bluumHandler>>;
  const servers: readonly (readonly [string, Arguments])[] = [
    ["the context of Cloudflare Workers", (waitUntil) => [make(), {}, { waitUntil }]],
    ["the context of Cloudflare Pages", (waitUntil) => [Object.assign({ request: make() }, { env: {}, waitUntil })]],
    ["the request itself", (waitUntil) => [Object.assign(make(), { waitUntil })]],
    [
      "another argument, before the first one",
      (waitUntil) => [Object.assign({ request: make() }, { waitUntil() {} }), { waitUntil }],
    ],
  ];
  for (const [where, argumentsOf] of servers) {
    it(`of ${where} gets a pending completion`, async () => {
      let completions = 0;
      const store: DedupeStore = {
        ...lostClaims,
        async complete() {
          completions += 1;
          if (completions === 1) throw new Error("away for a moment");
          return "stored";
        },
      };
      const receiver = quietReceiver({ store, namespace: "fetch", leaseMs: 1_000 }).on("*", () => {});
      const held: Promise<unknown>[] = [];
      const waitUntil = (work: Promise<unknown>) => void held.push(work);
      expect((await bluumHandler(receiver)(...argumentsOf(waitUntil))).status).toBe(200);
      await Promise.all(held);
      expect(completions).toBe(2);
    });
  }
});

describe.concurrent("fetch, handler: bodies as streams", () => {
  const LIMIT = 2_000;

  /** A signed request with a stream as its body, and what was done to the stream. */
  function streaming(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => unknown, headers = {}) {
    const seen = { pulls: 0, cancelled: false };
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          seen.pulls += 1;
          return pull(controller) as Promise<void> | undefined;
        },
        cancel() {
          seen.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const init = { ...signed(), headers: { ...signed().headers, ...headers }, body, duplex: "half" };
    return { seen, request: new Request(`http://localhost${PATH}`, init as RequestInit) };
  }

  async function answerTo(request: Request): Promise<string> {
    const receiver = quietReceiver({ maxBodyBytes: LIMIT, bodyTimeoutMs: 100 }).on("*", () => {});
    const response = await bluumHandler(receiver)(request);
    return `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;
  }

  it("a stream that fails is body_incomplete", async () => {
    const { request } = streaming((controller) => controller.error(new Error("reset")));
    expect(await answerTo(request)).toBe("408 body_incomplete");
  });

  it("a stream that never ends is body_timeout, and is cancelled", async () => {
    const { request, seen } = streaming(() => new Promise(() => {}));
    expect(await answerTo(request)).toBe("408 body_timeout");
    await until(() => seen.cancelled, "the end of the stream");
  });

  it("an endless stream is 413 at the limit, and is cancelled", async () => {
    const { request, seen } = streaming((controller) => controller.enqueue(new Uint8Array(100)));
    expect(await answerTo(request)).toBe("413 body_too_large");
    await until(() => seen.cancelled, "the end of the stream");
    expect(seen.pulls).toBeLessThan(20_000);
  });

  it("a Content-Length that is too small does not lift the limit", async () => {
    const { request } = streaming((controller) => controller.enqueue(new Uint8Array(100)), { "content-length": "10" });
    expect(await answerTo(request)).toBe("413 body_too_large");
  });

  it("a Content-Length over the limit is 413, and the body is not read", async () => {
    const { request, seen } = streaming(() => {}, { "content-length": String(LIMIT + 1) });
    expect(await answerTo(request)).toBe("413 body_too_large");
    expect(seen.pulls).toBe(0);
  });

  it("the body of an unsigned request is not read", async () => {
    const { request, seen } = streaming(() => {}, { "X-Bluum-Signature": "" });
    expect(await answerTo(request)).toBe("401 signature_malformed");
    expect(seen.pulls).toBe(0);
  });

  it("large bodies beyond 64 MiB at once are 503 receiver_busy, and accepted later", async () => {
    const handler = bluumHandler(quietReceiver().on("*", () => {}));
    const statusOf = async (request: Request) => (await handler(request)).status;
    // Each takes 960 KiB of the 64 MiB.
    const piece = new Uint8Array(1024 * 1024 - 1);
    const open: ReadableStreamDefaultController<Uint8Array>[] = [];
    const answers = Array.from({ length: 68 }, () => {
      let pulls = 0;
      const { request } = streaming((controller) => {
        pulls += 1;
        if (pulls === 1) return controller.enqueue(piece);
        // The piece has been read.
        open.push(controller);
        return new Promise(() => {});
      });
      return statusOf(request);
    });
    await until(() => open.length === 68, "all bodies");
    const large = signed(event({ padding: "x".repeat(600_000) })) as RequestInit;
    expect(await statusOf(new Request(`http://localhost${PATH}`, large))).toBe(503);
    expect(await statusOf(new Request(`http://localhost${PATH}`, signed() as RequestInit))).toBe(200);
    for (const controller of open) controller.error(new Error("disconnected"));
    expect(new Set(await Promise.all(answers))).toEqual(new Set([408]));
    expect(await statusOf(new Request(`http://localhost${PATH}`, large))).toBe(200);
  });

  it("a body that was read is body_already_parsed at once", async () => {
    const request = new Request(`http://localhost${PATH}`, signed() as RequestInit);
    await request.text();
    expect(await answerTo(request)).toBe("500 body_already_parsed");
  });

  it("a body that another reader has locked is body_already_parsed at once", async () => {
    const request = new Request(`http://localhost${PATH}`, signed() as RequestInit);
    request.body?.getReader();
    expect(await answerTo(request)).toBe("500 body_already_parsed");
  });
});
