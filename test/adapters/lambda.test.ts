import { describe, expect, it, vi } from "vitest";
import {
  bluumHandler,
  type LambdaContext,
  type LambdaHttpEvent,
  type LambdaHttpResult,
} from "../../adapters/lambda.ts";
import {
  type DedupeStore,
  type DeliveryReport,
  memoryStore,
  type Receiver,
  type WebhookError,
} from "../../src/index.ts";
import { handlerMember } from "./contract/handler.ts";
import { quietReceiver } from "./contract/mounts.ts";
import type { Answer, Endpoint, Sending } from "./contract/sender.ts";
import { event, gate, signed } from "./contract/trial.ts";
import { describeAdapterContract, expectNothingToEscape } from "./contract.ts";
import { type AtGateway, SOURCES } from "./lambda/events.ts";

expectNothingToEscape();

type Source = (request: AtGateway) => LambdaHttpEvent;
type Handler = ReturnType<typeof bluumHandler>;

const OK = '{"received":true}';
const DUPLICATE = '{"received":true,"duplicate":true}';

/** An invocation with some time left, counted from now. */
function invocation(leftMs = 30_000): LambdaContext {
  const end = performance.now() + leftMs;
  return { getRemainingTimeInMillis: () => Math.floor(end - performance.now()) };
}

/** A request at a gateway. By default, UTF-8 stays text, as for `application/json`. */
function atGateway({ method = "POST", headers = {}, body = "" }: Sending, base64?: boolean): AtGateway {
  const bytes = Buffer.from(body as Uint8Array);
  const isBase64Encoded = base64 ?? !isUtf8(bytes);
  return {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
    body: bytes.length === 0 ? null : bytes.toString(isBase64Encoded ? "base64" : "utf8"),
    isBase64Encoded,
  };
}

function joined(headers: Sending["headers"] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]));
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A result as the gateway's answer. */
function answerOf({ statusCode, headers, multiValueHeaders, body }: LambdaHttpResult): Answer {
  const lists = Object.entries(multiValueHeaders ?? {}).map(([name, values]) => [name, values.join(", ")]);
  return { status: statusCode, headers: { ...headers, ...Object.fromEntries(lists) }, body };
}

function behind(source: Source, handler: Handler, base64?: boolean): Endpoint {
  return {
    port: 0,
    // Events and results of a function are JSON.
    send: async (sending) => answerOf(asJson(await handler(asJson(source(atGateway(sending, base64))), invocation()))),
    close: async () => {},
  };
}

function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

for (const [name, source] of Object.entries(SOURCES) as [string, Source][]) {
  describeAdapterContract(
    handlerMember(`lambda behind ${name}`, false, async (receiver) => {
      const endpoint = behind(source, bluumHandler(receiver));
      // It keeps only one value of each header, so the sender joins them.
      if (source !== SOURCES["a load balancer"]) return endpoint;
      return { ...endpoint, send: (sending) => endpoint.send({ ...sending, headers: joined(sending.headers) }) };
    }),
  );

  describe.concurrent(`lambda behind ${name}`, () => {
    /** One delivery, as text or in base64, and the answer to it. */
    async function answerTo(sending: Sending, base64?: boolean): Promise<Answer> {
      return behind(source, bluumHandler(quietReceiver().on("*", () => {})), base64).send(sending);
    }

    for (const base64 of [true, false]) {
      it(`a body with é is accepted, ${base64 ? "in base64" : "as text"}`, async () => {
        const text = JSON.stringify(event({ data: { note: "é, €, 😀" } }));
        expect(await answerTo(signed(text), base64)).toMatchObject({ status: 200, body: OK });
      });
    }

    it("a genuine body that is not UTF-8 is payload_not_utf8, in base64", async () => {
      const latin1 = Buffer.from(JSON.stringify(event({ data: { note: "é" } })), "latin1");
      expect(await answerTo(signed(latin1), true)).toMatchObject({
        status: 400,
        body: '{"error":{"code":"payload_not_utf8"}}',
      });
    });

    it("a genuine body that is not UTF-8 is signature_mismatch, as text", async () => {
      const latin1 = Buffer.from(JSON.stringify(event({ data: { note: "é" } })), "latin1");
      expect(await answerTo(signed(latin1), false)).toMatchObject({
        status: 401,
        body: '{"error":{"code":"signature_mismatch"}}',
      });
    });

    it("a request without a body has a body of 0 bytes", async () => {
      expect(await answerTo(signed(""))).toMatchObject({ status: 400, body: '{"error":{"code":"payload_not_json"}}' });
    });

    it("an invocation without a context has no deadline", async () => {
      const handler = bluumHandler(quietReceiver().on("*", () => {}));
      expect(await handler(source(atGateway(signed())))).toMatchObject({ statusCode: 200, body: OK });
    });

    const twice = ({ headers, body }: Sending): Sending => ({
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([each, value]) => [each, [value, "0"].flat()])),
      body: body ?? "",
    });
    if (source === SOURCES["a load balancer"])
      it("the load balancer drops the first value of a header that was sent twice", async () => {
        expect((await answerTo(twice(signed()))).status).toBe(401);
      });
    else
      it("a header that was sent twice has both values", async () => {
        expect(await answerTo(twice(signed()))).toMatchObject({ status: 200, body: OK });
      });
  });
}

describe("lambda, the shape of an answer", () => {
  const handler = bluumHandler(quietReceiver());
  const refused = (source: Source) => handler(source(atGateway({ method: "PUT" })), invocation());
  const headers = { "content-type": "application/json", allow: "POST" };
  const body = '{"error":{"code":"method_not_allowed"}}';

  for (const name of ["API Gateway, REST", "API Gateway, HTTP", "a Function URL"] as const) {
    it(`for ${name}: status, headers and body`, async () => {
      expect(await refused(SOURCES[name])).toEqual({ statusCode: 405, headers, body, isBase64Encoded: false });
    });
  }

  it("for a load balancer: with a description of the status", async () => {
    expect(await refused(SOURCES["a load balancer"])).toEqual({
      ...{ statusCode: 405, statusDescription: "405 Method Not Allowed" },
      ...{ headers, body, isBase64Encoded: false },
    });
  });

  it("for a load balancer with multi-value headers: those, and no others", async () => {
    expect(await refused(SOURCES["a load balancer with multi-value headers"])).toEqual({
      ...{ statusCode: 405, statusDescription: "405 Method Not Allowed" },
      multiValueHeaders: { "content-type": ["application/json"], allow: ["POST"] },
      ...{ body, isBase64Encoded: false },
    });
  });

  it("an event that is no HTTP request rejects, naming the missing field", async () => {
    await expect(handler({ Records: [] } as unknown as LambdaHttpEvent, invocation())).rejects.toThrow(
      "requestContext",
    );
  });
});

describe.concurrent("lambda, within the time of an invocation", () => {
  const source = SOURCES["a Function URL"];

  function invoke(receiver: Receiver, sending: Sending, leftMs: number): Promise<LambdaHttpResult> {
    return bluumHandler(receiver)(source(atGateway(sending)), invocation(leftMs));
  }

  it("the signal aborts before its end, and 503 handler_timeout is answered", async () => {
    let reason: WebhookError | undefined;
    const reports: DeliveryReport[] = [];
    const receiver = quietReceiver({ observe: (report) => reports.push(report) }).on(
      "*",
      async (_event, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        reason = signal.reason;
        signal.throwIfAborted();
      },
    );
    const began = performance.now();
    const answer = await invoke(receiver, signed(), 1_000);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(answer).toMatchObject({ statusCode: 503, body: '{"error":{"code":"handler_timeout"}}' });
    expect(answer.headers?.["retry-after"]).toBeDefined();
    expect(reason?.code).toBe("handler_timeout");
    expect(reports).toMatchObject([{ outcome: "accepted", code: "handler_timeout", status: 503 }]);
  });

  it("the claim expires with it, although the frozen handler never returned", async () => {
    const store = memoryStore();
    const sending = signed();
    const frozen = quietReceiver({ store, namespace: "lambda" }).on("*", () => new Promise(() => {}));
    expect(await invoke(frozen, sending, 600)).toMatchObject({ statusCode: 503 });
    const next = quietReceiver({ store, namespace: "lambda" }).on("*", () => {});
    await vi.waitFor(async () => expect((await invoke(next, sending, 30_000)).body).toBe(OK), 5_000);
  });

  it("the result of a handler that resumes later counts, if the event was not claimed again", async () => {
    const store = memoryStore();
    const sending = signed();
    const working = gate();
    const receiver = quietReceiver({ store, namespace: "lambda" }).on("*", () => working.opened);
    expect(await invoke(receiver, sending, 200)).toMatchObject({ statusCode: 503 });
    working.open();
    await vi.waitFor(async () => expect((await invoke(receiver, sending, 30_000)).body).toBe(DUPLICATE), 5_000);
  });

  it("without time left no event is accepted", async () => {
    const handler = vi.fn();
    const receiver = quietReceiver().on("*", handler);
    expect(await invoke(receiver, signed(), 0)).toMatchObject({
      statusCode: 503,
      body: '{"error":{"code":"handler_timeout"}}',
    });
    expect(handler).not.toHaveBeenCalled();
  });

  /** A store whose completions fail at first. */
  function failing(times: number): DedupeStore & { readonly completed: string[] } {
    const completed: string[] = [];
    let left = times;
    return {
      completed,
      claim: async () => ({ status: "claimed" }),
      renew: async () => true,
      release: async () => true,
      async complete(key) {
        left -= 1;
        if (left >= 0) throw new Error("away for a moment");
        completed.push(key);
        return "stored";
      },
    };
  }

  it("a completion that fails at first is retried before the answer", async () => {
    const store = failing(1);
    const receiver = quietReceiver({ store, namespace: "lambda", leaseMs: 1_000 }).on("*", () => {});
    expect(await invoke(receiver, signed(), 30_000)).toMatchObject({ statusCode: 200 });
    expect(store.completed).toHaveLength(1);
  });

  it("a completion that keeps failing delays the answer no longer than there is time", async () => {
    const receiver = quietReceiver({ store: failing(1_000), namespace: "lambda", leaseMs: 1_000 }).on("*", () => {});
    const began = performance.now();
    expect(await invoke(receiver, signed(), 1_000)).toMatchObject({ statusCode: 200 });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it("a store that hangs is answered 503 in time", async () => {
    const hanging = () => new Promise<never>(() => {});
    const store = { claim: hanging, renew: hanging, complete: hanging, release: hanging };
    const receiver = quietReceiver({ store, namespace: "lambda" }).on("*", () => {});
    const began = performance.now();
    expect(await invoke(receiver, signed(), 1_000)).toMatchObject({
      statusCode: 503,
      body: '{"error":{"code":"store_unavailable"}}',
    });
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
