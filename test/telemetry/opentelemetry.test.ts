import { context, createTraceState, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ReceiverOptions, WebhookError } from "../../src/index.ts";
import { METRICS, ON_METRICS, SHARED } from "../../src/telemetry/names.ts";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { FIRST, type ListInbox, listInbox } from "../pipeline/list-inbox.ts";
import { accepted, anEvent, type Bench, bench, SECRET, signed } from "../pipeline/receiving.ts";
import { followContexts, makeSdk, type Sdk, startGlobally, stopGlobally } from "./sdk.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const FOREIGN = `00-${TRACE}-b7ad6b7169203331-01`;

let sdk: Sdk;
beforeEach(() => {
  sdk = makeSdk();
  followContexts();
});
afterEach(stopGlobally);

/** A receiver whose telemetry goes to the SDK of the test. */
function observed(options: Partial<ReceiverOptions> = {}): Bench {
  return bench({ telemetry: openTelemetry(sdk.providers), ...options });
}

function withInbox(options: Partial<ReceiverOptions> = {}): Bench & { inbox: ListInbox } {
  const inbox = listInbox();
  return { ...observed({ namespace: "orders-api", inbox, ...options }), inbox };
}

/** The only span of a name. */
function only(name: string) {
  const [span, ...more] = sdk.named(name);
  if (span === undefined || more.length > 0) throw new Error(`${more.length + 1} spans ${name}`);
  return span;
}

const seriesOf = async (metric: keyof typeof METRICS) =>
  (await sdk.collect(METRICS[metric].name)).map(({ attributes, value }) => [attributes, value]);

describe("a delivery that is handled", () => {
  it("is a PRODUCER span under the active one, with the handler's CONSUMER span below", async () => {
    const { receiver } = observed();
    let inside: Span | undefined;
    receiver.on(
      "order.filled",
      async () => {
        await Promise.resolve();
        inside = trace.getActiveSpan();
      },
      { name: "book" },
    );
    const event = anEvent();
    const tracer = sdk.providers.tracerProvider.getTracer("test");
    await tracer.startActiveSpan("POST /webhooks/bluum", async (request) => {
      await receiver.handle(signed(event));
      request.end();
    });
    const request = only("POST /webhooks/bluum");
    const send = only("send default");
    const process = only("process default");
    expect([send.kind, process.kind]).toEqual([SpanKind.PRODUCER, SpanKind.CONSUMER]);
    expect(send.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(process.parentSpanContext?.spanId).toBe(send.spanContext().spanId);
    expect(inside?.spanContext()).toEqual(process.spanContext());
    const { event_id } = event;
    expect(send.attributes).toEqual({
      "messaging.system": "bluum_webhooks",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": "default",
      "messaging.message.id": event_id,
      "bluum_webhooks.type": "order.filled",
      "bluum_webhooks.outcome": "accepted",
    });
    expect(process.attributes).toEqual({
      "messaging.system": "bluum_webhooks",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": "default",
      "messaging.message.id": event_id,
      "bluum_webhooks.type": "order.filled",
      "bluum_webhooks.handler": "book",
      "bluum_webhooks.attempt": 1,
    });
    expect([send.status.code, process.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
  });

  it("has a span for each handler that runs", async () => {
    const { receiver } = observed();
    receiver
      .on("order.filled", () => {})
      .on("order.*", () => {})
      .on("transfer.*", () => {});
    await receiver.handle(signed());
    expect(sdk.named("process default")).toHaveLength(2);
  });

  it("is counted", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    const delivery = signed();
    await receiver.handle(delivery);
    await receiver.handle(delivery);
    const own = { "messaging.destination.name": "default" };
    const convention = { ...own, "messaging.system": "bluum_webhooks" };
    expect(await seriesOf("deliveries")).toEqual([
      [{ ...own, outcome: "accepted", type: "order.filled" }, 1],
      [{ ...own, outcome: "duplicate", type: "order.filled" }, 1],
    ]);
    expect(await seriesOf("duplicates")).toEqual([[{ ...own, type: "order.filled" }, 1]]);
    expect(await seriesOf("sent")).toEqual([[{ ...convention, "messaging.operation.name": "send" }, 1]]);
    expect(await seriesOf("processDuration")).toMatchObject([
      [{ ...convention, "messaging.operation.name": "process" }, { count: 1 }],
    ]);
    expect(await seriesOf("deliveryDuration")).toMatchObject([
      [{ ...own, outcome: "accepted" }, { count: 1 }],
      [{ ...own, outcome: "duplicate" }, { count: 1 }],
    ]);
  });

  it("is measured in seconds", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => new Promise((resolve) => setTimeout(resolve, 60)));
    await receiver.handle(signed());
    for (const metric of ["processDuration", "deliveryDuration"] as const) {
      const [[, value] = []] = await seriesOf(metric);
      const { sum } = value as { sum: number };
      expect(sum, metric).toBeGreaterThan(0.05);
      expect(sum, metric).toBeLessThan(20);
    }
  });
});

describe("a delivery with middleware", () => {
  it("is a span until it is settled", async () => {
    const { receiver } = observed();
    const outcome = accepted(await receiver.receive(signed()));
    expect(sdk.spans()).toEqual([]);
    await outcome.settle("processed", { status: 204 });
    expect(only("send default").attributes).toMatchObject({ "bluum_webhooks.outcome": "accepted" });
  });

  it("has an error if it failed", async () => {
    const { receiver } = observed();
    await accepted(await receiver.receive(signed())).settle("failed", { status: 500 });
    expect(only("send default")).toMatchObject({
      attributes: { "error.type": "handler_failed" },
      status: { code: SpanStatusCode.ERROR },
    });
  });
});

describe("a failure", () => {
  const failures: [string, Partial<ReceiverOptions>, () => unknown, string, string][] = [
    ["of a handler", {}, () => Promise.reject(new Error("secret detail")), "handler_failed", "handler_failed"],
    [
      "of a handler that throws no error",
      {},
      () => Promise.reject("secret detail"),
      "handler_failed",
      "handler_failed",
    ],
    [
      "that a handler gives a code of ours",
      {},
      () => Promise.reject(new WebhookError("signature_missing", "secret detail")),
      "handler_failed",
      "handler_failed",
    ],
    [
      "that cannot be looked at",
      {},
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return Promise.reject(proxy);
      },
      "handler_failed",
      "handler_failed",
    ],
    [
      "of a lost claim",
      {},
      () => Promise.reject(new WebhookError("claim_lost", "secret detail")),
      "event_in_flight",
      "claim_lost",
    ],
  ];

  it.each(failures)("%s is error.type and status, without a message", async (_, options, handler, sent, processed) => {
    const { receiver } = observed(options);
    receiver.on("order.filled", handler);
    await receiver.handle(signed());
    const [send, process] = [only("send default"), only("process default")];
    expect(send.attributes["error.type"]).toBe(sent);
    expect(process.attributes["error.type"]).toBe(processed);
    for (const span of [send, process]) {
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(span.events).toEqual([]);
    }
    const [[attributes] = []] = await seriesOf("processDuration");
    expect(attributes).toMatchObject({ "error.type": processed });
  });

  it("to verify is the code of its rejection", async () => {
    const { receiver } = observed();
    await receiver.handle(signed(anEvent(), { secret: "another-secret-of-some-length" }));
    expect(only("send default")).toMatchObject({
      attributes: { "error.type": "signature_mismatch", "bluum_webhooks.outcome": "rejected" },
      status: { code: SpanStatusCode.ERROR },
    });
    expect(await seriesOf("deliveries")).toMatchObject([[{ outcome: "rejected", code: "signature_mismatch" }, 1]]);
    expect(await seriesOf("sent")).toEqual([]);
  });

  it("to store the event is an error of sending", async () => {
    const add = () => Promise.reject(new Error("disk full"));
    const { receiver } = withInbox({ inbox: listInbox({ add }) });
    await receiver.handle(signed());
    expect(await seriesOf("sent")).toMatchObject([[{ "error.type": "inbox_unavailable" }, 1]]);
  });

  it("is no error of a delivery that was acknowledged", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed(anEvent("transfer.deposit.completed")));
    expect(only("send default").status.code).toBe(SpanStatusCode.UNSET);
    expect(await seriesOf("deliveries")).toMatchObject([[{ outcome: "accepted", code: "unhandled" }, 1]]);
  });
});

describe("behind an inbox", () => {
  it("a handler's span is linked to the accepting one, in a trace of its own", async () => {
    const { receiver, inbox } = withInbox();
    receiver.on("order.filled", () => {});
    receiver.work();
    const tracer = sdk.providers.tracerProvider.getTracer("test");
    await tracer.startActiveSpan("another request", async () => {
      await receiver.handle(signed());
      // A worker that the request has woken runs in its context.
      await inbox.worker?.process(inbox.messages[0], { number: 3, of: 12 });
    });
    const [send, process] = [only("send orders-api"), only("process orders-api")];
    const { traceId, spanId } = send.spanContext();
    expect(inbox.messages[0]?.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(process.links.map((link) => link.context)).toEqual([{ traceId, spanId, traceFlags: 1, isRemote: true }]);
    expect(process.parentSpanContext).toBeUndefined();
    expect(process.spanContext().traceId).not.toBe(traceId);
    expect(process.attributes["bluum_webhooks.attempt"]).toBe(3);
  });

  it("a handler's span is under the active one of a worker of the user's own", async () => {
    const { receiver, inbox } = withInbox();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    const tracer = sdk.providers.tracerProvider.getTracer("test");
    await tracer.startActiveSpan("queue", async (queue) => {
      await receiver.process(inbox.messages[0], { attempt: FIRST });
      queue.end();
    });
    const process = only("process orders-api");
    expect(process.parentSpanContext?.spanId).toBe(only("queue").spanContext().spanId);
    expect(process.links).toHaveLength(1);
  });

  describe("the tracestate of the active span", () => {
    /** Receives a delivery within a trace of this state. */
    async function receivedWithin(tracestate: string) {
      const { receiver, inbox } = withInbox();
      receiver.on("order.filled", () => {});
      const traceState = createTraceState(tracestate);
      const remote = { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 1, isRemote: true, traceState };
      await context.with(trace.setSpanContext(context.active(), remote), () => receiver.handle(signed()));
      return { receiver, inbox };
    }

    it("is stored with its traceparent, and is part of the link", async () => {
      const { receiver, inbox } = await receivedWithin("vendor=a1,tenant@other=b");
      expect(inbox.messages[0]).toMatchObject({ v: 1, tracestate: "vendor=a1,tenant@other=b" });
      await receiver.process(inbox.messages[0], { attempt: FIRST });
      const [link] = only("process orders-api").links;
      expect(link?.context.traceState?.serialize()).toBe("vendor=a1,tenant@other=b");
    });

    it("is stored up to 512 characters", async () => {
      const half = `a=${"x".repeat(253)}`;
      expect((await receivedWithin(`${half},b=${"y".repeat(254)}`)).inbox.messages[0]?.tracestate).toHaveLength(512);
      expect((await receivedWithin(`${half},b=${"y".repeat(255)}`)).inbox.messages[0]).not.toHaveProperty("tracestate");
    });

    it("may be empty: nothing is stored then", async () => {
      expect((await receivedWithin("")).inbox.messages[0]).not.toHaveProperty("tracestate");
    });
  });

  it("a stored tracestate that is none makes a link without one", async () => {
    const { receiver, inbox } = withInbox();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    await receiver.process({ ...inbox.messages[0], tracestate: "No state" }, { attempt: FIRST });
    const [link] = only("process orders-api").links;
    expect(link?.context.traceId).toBe(only("send orders-api").spanContext().traceId);
    expect(link?.context.traceState?.serialize()).toBe("");
  });

  it("a stored traceparent that is none makes no link and costs nothing", async () => {
    const { receiver, inbox } = withInbox();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    await receiver.process({ ...inbox.messages[0], traceparent: "nonsense" }, { attempt: FIRST });
    expect(only("process orders-api").links).toEqual([]);
  });

  it("the active span of the handler is its own", async () => {
    const { receiver, inbox } = withInbox();
    let inside: Span | undefined;
    receiver.on("order.filled", async () => {
      await Promise.resolve();
      inside = trace.getActiveSpan();
    });
    await receiver.handle(signed());
    receiver.work();
    await inbox.worker?.process(inbox.messages[0], FIRST);
    expect(inside?.spanContext()).toEqual(only("process orders-api").spanContext());
  });

  it("runs and parked events are counted", async () => {
    const { receiver, inbox } = withInbox({ logger: false });
    receiver.on("order.filled", () => {}).on("order.rejected", () => Promise.reject(new Error("no")));
    receiver.work();
    await receiver.handle(signed());
    await receiver.handle(signed(anEvent("order.rejected")));
    await inbox.worker?.process(inbox.messages[0], FIRST);
    await inbox.worker?.process(inbox.messages[1], FIRST).catch(() => {});
    const error = { message: "no" };
    inbox.worker?.options.onParked({ key: "orders-api/1", type: "order.rejected", attempts: 12, error });
    const own = { "messaging.destination.name": "orders-api" };
    expect(await seriesOf("inboxRuns")).toEqual([
      [{ ...own, outcome: "processed", type: "order.filled" }, 1],
      [{ ...own, outcome: "failed", code: "handler_failed", type: "order.rejected" }, 1],
    ]);
    expect(await seriesOf("inboxParked")).toEqual([[own, 1]]);
    expect(await seriesOf("deliveries")).toMatchObject([
      [{ outcome: "accepted" }, 1],
      [{ outcome: "accepted" }, 1],
    ]);
  });
});

describe("an inbound traceparent", () => {
  it("takes its tracestate along", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    const delivery = signed();
    const headers = { ...(delivery.headers as object), traceparent: FOREIGN, tracestate: "vendor=a1, =, other=b" };
    await receiver.handle({ ...delivery, headers });
    expect(only("send default").links.map((link) => link.context.traceState?.serialize())).toEqual([
      "vendor=a1,other=b",
    ]);
  });

  it("is a link, never the parent", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    const delivery = signed();
    await receiver.handle({ ...delivery, headers: { ...(delivery.headers as object), traceparent: FOREIGN } });
    const send = only("send default");
    expect(send.links.map((link) => link.context.traceId)).toEqual([TRACE]);
    expect(send.parentSpanContext).toBeUndefined();
    expect(send.spanContext().traceId).not.toBe(TRACE);
  });

  it.each([
    "",
    "00",
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `${FOREIGN}0`,
    `${FOREIGN}, ${FOREIGN}`,
    "x".repeat(10_000),
  ])("that is none makes no link: %.60s", async (traceparent) => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    const delivery = signed();
    await receiver.handle({ ...delivery, headers: { ...(delivery.headers as object), traceparent } });
    expect(only("send default").links).toEqual([]);
  });
});

describe("the SDK", () => {
  it("may start after the receiver, and again", async () => {
    const { receiver } = bench({ telemetry: openTelemetry() });
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    for (let start = 1; start <= 2; start++) {
      stopGlobally();
      sdk = makeSdk();
      startGlobally(sdk);
      await receiver.handle(signed());
      expect(sdk.spans().map(({ name }) => name)).toEqual(["process default", "send default"]);
      expect(await seriesOf("deliveries")).toMatchObject([[{ outcome: "accepted" }, 1]]);
      expect(await seriesOf("processDuration")).toMatchObject([[{}, { count: 1 }]]);
    }
  });

  it("may be missing: nothing is stored with the message then", async () => {
    const inbox = listInbox();
    const { receiver } = bench({ telemetry: openTelemetry(), inbox, namespace: "orders-api" });
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    expect(inbox.messages[0]).not.toHaveProperty("traceparent");
    await receiver.process(inbox.messages[0], { attempt: FIRST });
    await receiver.close();
  });

  it("may be another than the global one", async () => {
    const global = makeSdk();
    startGlobally(global);
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    expect(global.spans()).toEqual([]);
    expect(await global.collect()).toEqual([]);
    expect(sdk.spans()).toHaveLength(2);
  });

  it("may leave spans out by sampling; the metrics are whole", async () => {
    const { receiver } = observed();
    receiver.on("order.filled", () => {});
    const remote = { traceId: TRACE, spanId: "b7ad6b7169203331", traceFlags: 0, isRemote: true };
    await context.with(trace.setSpanContext(context.active(), remote), () => receiver.handle(signed()));
    expect(sdk.spans()).toEqual([]);
    expect(await seriesOf("deliveries")).toMatchObject([[{}, 1]]);
  });

  it("that throws costs no event", async () => {
    const broken = () => {
      throw new Error("exporter is broken");
    };
    const tracerProvider = { getTracer: broken };
    const meterProvider = { getMeter: broken };
    const { receiver } = bench({ telemetry: openTelemetry({ tracerProvider, meterProvider }) });
    let runs = 0;
    receiver.on("order.filled", () => void runs++);
    expect(await receiver.handle(signed())).toMatchObject({ status: 200 });
    expect(runs).toBe(1);
  });
});

describe("what is recorded", () => {
  it("holds no payload, secret or header; metrics hold no event's id and no type outside the catalogue", async () => {
    const { receiver, inbox } = withInbox({ logger: false });
    receiver.on("*", () => Promise.reject(new Error("canary-error")));
    const event = { event: "canary.type", event_id: "evt_canary", data: { id: "canary-payload" } };
    const delivery = signed(event);
    await receiver.handle({ ...delivery, headers: { ...(delivery.headers as object), "x-canary": "canary-header" } });
    await receiver.process(inbox.messages[0], { attempt: FIRST }).catch(() => {});
    const spans = JSON.stringify(
      sdk.spans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    );
    expect(spans).toContain("evt_canary");
    expect(spans).not.toMatch(/canary-|a-shared-secret/);
    const series = JSON.stringify(await sdk.collect());
    expect(series).toContain('"type":"other"');
    expect(series).not.toMatch(/canary/);
    expect(series).not.toContain(SECRET);
  });

  it("counts a refused probe of verifyMount apart", async () => {
    const { receiver } = withInbox({ logger: false });
    const { headers, ...forged } = signed(anEvent(), { secret: "another-secret-of-some-length" });
    await receiver.handle({ ...forged, headers: { ...(headers as object), "bluum-webhooks-probe": "1" } });
    const series = JSON.stringify(await sdk.collect());
    expect(series).toContain('"code":"signature_mismatch","type":"probe"');
  });

  it("has the attributes that the table of metrics names, and no others", async () => {
    const { receiver, inbox } = withInbox({ logger: false });
    receiver.on("order.filled", () => {}).on("order.rejected", () => Promise.reject(new Error("no")));
    receiver.work();
    const delivery = signed();
    for (const each of [delivery, delivery, signed(anEvent("order.rejected")), { ...delivery, headers: {} }])
      await receiver.handle(each);
    for (const message of inbox.messages) await receiver.process(message, { attempt: FIRST }).catch(() => {});
    inbox.worker?.options.onParked({ key: "k", type: "order.rejected", attempts: 1, error: { message: "no" } });
    const collected = await sdk.collect();
    for (const { name, attributes } of Object.values(METRICS)) {
      const found = collected
        .filter((series) => series.name === name)
        .flatMap((series) => Object.keys(series.attributes));
      const allowed = new Set<string>(attributes);
      expect(found, name).not.toEqual([]);
      expect(
        found.filter((attribute) => !allowed.has(attribute)),
        name,
      ).toEqual([]);
    }
    const known: ReadonlySet<string> = new Set(Object.values(METRICS).map(({ name }) => name));
    expect(collected.filter(({ name }) => !known.has(name))).toEqual([]);
    const labels = [...Object.values(SHARED), ...Object.values(ON_METRICS)];
    expect(
      Object.values(METRICS)
        .flatMap(({ attributes }) => attributes)
        .filter((each) => !labels.includes(each as never)),
    ).toEqual([]);
  });
});

describe("openTelemetry", () => {
  it("refuses an option that does not exist", () => {
    expect(() => openTelemetry({ meterprovider: undefined } as never)).toThrow(
      /openTelemetry: meterprovider is no option/,
    );
  });
});
