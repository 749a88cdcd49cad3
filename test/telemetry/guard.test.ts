import { describe, expect, it, vi } from "vitest";
import { createReceiver, type ReceiverTelemetry, type ReceivingTelemetry, type Telemetry } from "../../src/index.ts";
import { FIRST, listInbox } from "../pipeline/list-inbox.ts";
import { accepted, anEvent, bench, SECRET, signed } from "../pipeline/receiving.ts";

const OK = { status: 200, body: '{"received":true}' };

/** Telemetry that does nothing but what it must, unless it is told otherwise. */
function telemetryOf(
  overrides: Partial<ReceiverTelemetry> = {},
  receiving: Partial<ReceivingTelemetry> = {},
): Telemetry {
  return {
    start: () => ({
      receiving: () => ({ within: (work) => work(), report: () => {}, ...receiving }),
      handling: (_run, work) => work(),
      report: () => {},
      ...overrides,
    }),
  };
}

const fail = () => {
  throw new Error("telemetry is broken");
};
const reject = async () => fail();
const wrong = (value: unknown) => value as never;

const BROKEN: [string, Telemetry][] = [
  ["throws everywhere", telemetryOf({ receiving: fail, handling: fail, report: fail, close: fail })],
  ["throws at each use of a delivery", telemetryOf({ handling: fail }, { within: fail, report: fail })],
  [
    "rejects everywhere",
    telemetryOf({ handling: reject, report: wrong(reject) }, { within: reject, report: wrong(reject) }),
  ],
  ["returns nothing", { start: () => wrong(undefined) }],
  ["returns empty objects", telemetryOf({ receiving: () => wrong({}) })],
  ["never calls the work", telemetryOf({ handling: wrong(async () => 1) }, { within: wrong(async () => 1) })],
  [
    "calls the work twice",
    telemetryOf(
      { handling: (_run, work) => work().then(() => work()) },
      { within: (work) => work().then(() => work()) },
    ),
  ],
  [
    "replaces the result",
    telemetryOf({ handling: wrong(async () => "replaced") }, { within: wrong(async () => ({ status: 500 })) }),
  ],
  [
    "has a traceparent that throws",
    telemetryOf({
      receiving: () => ({
        within: (work) => work(),
        report: () => {},
        get traceparent(): string {
          return fail();
        },
      }),
    }),
  ],
  ["has a traceparent that is no text", telemetryOf({}, { traceparent: wrong({ trace: 1 }) })],
  ["has a tracestate that is no text", telemetryOf({}, { traceparent: "00-trace", tracestate: wrong(["a=1"]) })],
  ["has a tracestate that cannot be stored", telemetryOf({}, { traceparent: "00-trace", tracestate: "é=1" })],
];

describe.each(BROKEN)("telemetry that %s", (_, telemetry) => {
  it("costs no event of a handler, which runs once", async () => {
    const { receiver, reports } = bench({ telemetry });
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    expect(await receiver.handle(signed())).toMatchObject(OK);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(reports).toMatchObject([{ outcome: "accepted", status: 200 }]);
    await receiver.close();
  });

  it("changes no failure of a handler", async () => {
    const { receiver, reports } = bench({ telemetry });
    receiver.on("order.filled", fail);
    expect(await receiver.handle(signed())).toMatchObject({ status: 500 });
    expect(reports).toMatchObject([{ outcome: "accepted", code: "handler_failed" }]);
  });

  it("changes nothing for middleware", async () => {
    const { receiver } = bench({ telemetry });
    const outcome = accepted(await receiver.receive(signed()));
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("changes nothing for an inbox", async () => {
    const inbox = listInbox();
    const { receiver, reports } = bench({ telemetry, inbox, namespace: "orders-api" });
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    expect(await receiver.handle(signed())).toMatchObject(OK);
    await receiver.process(inbox.messages[0], { attempt: FIRST });
    expect(handler).toHaveBeenCalledTimes(1);
    expect(reports).toMatchObject([{ outcome: "accepted" }, { outcome: "processed" }]);
    await receiver.close();
  });
});

describe("telemetry", () => {
  it("is told of the namespace and the inbox, and nothing else of the receiver", () => {
    const start = vi.fn<Telemetry["start"]>(() => telemetryOf().start({ namespace: "" }));
    const inbox = listInbox();
    createReceiver({ secret: SECRET, namespace: "orders-api", inbox, telemetry: { start } });
    expect(start.mock.calls).toEqual([[{ namespace: "orders-api", inbox }]]);
  });

  it("is told of each handler's run and of each report, before the option observe", async () => {
    const told: unknown[] = [];
    const telemetry = telemetryOf(
      {
        handling: (run, work) => {
          told.push(run);
          return work();
        },
      },
      { report: ({ outcome }) => void told.push(outcome) },
    );
    const { receiver } = bench({ telemetry, observe: () => void told.push("observed") });
    receiver.on("order.filled", () => {}, { name: "book" }).on("order.*", () => {}, { name: "mail" });
    const event = anEvent();
    await receiver.handle(signed(event));
    const run = { eventId: event.event_id, type: "order.filled", attempt: { number: 1, of: 1 } };
    expect(told).toEqual([{ ...run, handler: "book" }, { ...run, handler: "mail" }, "accepted", "observed"]);
  });

  it("is told the stored traceparent and tracestate, and which runs are of the receiver's own worker", async () => {
    const runs: unknown[] = [];
    const handling: ReceiverTelemetry["handling"] = (run, work) => {
      runs.push([run.traceparent, run.tracestate, run.detached, run.attempt.number]);
      return work();
    };
    const inbox = listInbox();
    const telemetry = telemetryOf({ handling }, { traceparent: "00-trace", tracestate: "vendor=a1" });
    const { receiver } = bench({ telemetry, inbox, namespace: "orders-api" });
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    await receiver.handle(signed());
    receiver.work();
    await receiver.process(inbox.messages[0]);
    await inbox.worker?.process(inbox.messages[1], FIRST);
    expect(runs).toEqual([
      ["00-trace", "vendor=a1", undefined, 1],
      ["00-trace", "vendor=a1", true, 1],
    ]);
  });

  it("stores no tracestate without a traceparent", async () => {
    const inbox = listInbox();
    const { receiver } = bench({ telemetry: telemetryOf({}, { tracestate: "vendor=a1" }), inbox, namespace: "a" });
    receiver.on("order.filled", () => {});
    await receiver.handle(signed());
    expect(inbox.messages[0]).not.toHaveProperty("tracestate");
  });

  it("is refused if it cannot start", () => {
    expect(() => createReceiver({ secret: SECRET, telemetry: {} as never })).toThrow(/telemetry has no method start/);
  });
});
