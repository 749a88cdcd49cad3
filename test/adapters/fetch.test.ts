import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/fetch.ts";
import { handlerMember } from "./contract/handler.ts";
import { quietReceiver } from "./contract/mounts.ts";
import { inProcess, PATH } from "./contract/sender.ts";
import { signed, until } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";

expectNothingToEscape();

describeAdapterContract(handlerMember("fetch, handler", false, async (receiver) => inProcess(bluumHandler(receiver))));

describe.concurrent("fetch, handler: bodies as streams", () => {
  const LIMIT = 2_000;

  /** A signed request with a body of one's own making, and what was done to that body. */
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

  it("a stream that never ends is body_timeout, and is let go of", async () => {
    const { request, seen } = streaming(() => new Promise(() => {}));
    expect(await answerTo(request)).toBe("408 body_timeout");
    await until(() => seen.cancelled, "the end of the stream");
  });

  it("an endless stream is 413 at the limit, and is let go of", async () => {
    const { request, seen } = streaming((controller) => controller.enqueue(new Uint8Array(100)));
    expect(await answerTo(request)).toBe("413 body_too_large");
    await until(() => seen.cancelled, "the end of the stream");
    expect(seen.pulls).toBeLessThan(20_000);
  });

  it("a Content-Length that promises less than comes does not lift the limit", async () => {
    const { request } = streaming((controller) => controller.enqueue(new Uint8Array(100)), { "content-length": "10" });
    expect(await answerTo(request)).toBe("413 body_too_large");
  });

  it("a Content-Length over the limit is 413 without a look at the body", async () => {
    const { request, seen } = streaming(() => {}, { "content-length": String(LIMIT + 1) });
    expect(await answerTo(request)).toBe("413 body_too_large");
    expect(seen.pulls).toBe(0);
  });

  it("an unsigned request's body is not looked at", async () => {
    const { request, seen } = streaming(() => {}, { "X-Bluum-Signature": "" });
    expect(await answerTo(request)).toBe("401 signature_malformed");
    expect(seen.pulls).toBe(0);
  });

  it("a body that was read is body_already_parsed at once", async () => {
    const request = new Request(`http://localhost${PATH}`, signed() as RequestInit);
    await request.text();
    expect(await answerTo(request)).toBe("500 body_already_parsed");
  });

  it("a body that another reader holds is body_already_parsed at once", async () => {
    const request = new Request(`http://localhost${PATH}`, signed() as RequestInit);
    request.body?.getReader();
    expect(await answerTo(request)).toBe("500 body_already_parsed");
  });
});
