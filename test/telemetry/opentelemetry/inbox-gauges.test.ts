import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Inbox, ReceiverOptions, Telemetry } from "../../../src/index.ts";
import { METRICS } from "../../../src/telemetry/names.ts";
import { openTelemetry } from "../../../src/telemetry/opentelemetry.ts";
import { listInbox } from "../../pipeline/list-inbox.ts";
import { bench } from "../../pipeline/receiving.ts";
import { makeSdk, type Sdk, startGlobally, stopGlobally } from "../sdk.ts";

let sdk: Sdk;
beforeEach(() => {
  sdk = makeSdk();
});
afterEach(stopGlobally);

const stats = async () => ({ waiting: 7, delayed: 3, active: 2, parked: 1, oldestWaitingMs: 90_500 });

function receiverOf(telemetry: Telemetry, inbox: Inbox, options: Partial<ReceiverOptions> = {}) {
  return bench({ telemetry, inbox, namespace: "orders-api", ...options }).receiver;
}

/** The series of one gauge, by namespace and state. */
async function gauge(metric: "inboxEvents" | "inboxOldestAge"): Promise<unknown[]> {
  const series = await sdk.collect(METRICS[metric].name);
  return series.map(({ attributes, value }) => [attributes["messaging.destination.name"], attributes.state, value]);
}

const events = (namespace: string, value?: number) => [
  [namespace, "waiting", value ?? 7],
  [namespace, "delayed", value ?? 3],
  [namespace, "active", value ?? 2],
  [namespace, "parked", value ?? 1],
];

describe("the gauges of an inbox", () => {
  it("say how many events are in each state, and how old the oldest is", async () => {
    receiverOf(openTelemetry(sdk.providers), listInbox({ stats }));
    expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
    const [age] = await sdk.collect(METRICS.inboxOldestAge.name);
    expect(age).toMatchObject({
      attributes: { "messaging.destination.name": "orders-api", engine: "list" },
      value: 90.5,
    });
  });

  it("call the method of the inbox, not a bare function", async () => {
    const inbox = listInbox();
    inbox.stats = async function (this: unknown) {
      if (this !== inbox) throw new Error("this is lost");
      return stats();
    };
    receiverOf(openTelemetry(sdk.providers), inbox);
    expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
  });

  it("are asked once for several collections", async () => {
    const asked = vi.fn(stats);
    receiverOf(openTelemetry(sdk.providers), listInbox({ stats: asked }));
    await Promise.all([sdk.collect(), sdk.collect(), sdk.collect()]);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("of two receivers that share telemetry are both there", async () => {
    const telemetry = openTelemetry(sdk.providers);
    receiverOf(telemetry, listInbox({ stats }));
    receiverOf(telemetry, listInbox({ stats }), { namespace: "billing" });
    expect(await gauge("inboxEvents")).toEqual([...events("orders-api"), ...events("billing")]);
  });

  it("of two receivers that each have telemetry are both there", async () => {
    receiverOf(openTelemetry(sdk.providers), listInbox({ stats }));
    receiverOf(openTelemetry(sdk.providers), listInbox({ stats }), { namespace: "billing" });
    expect(await gauge("inboxEvents")).toEqual([...events("orders-api"), ...events("billing")]);
  });

  it.each([
    ["one telemetry", true],
    ["a telemetry each", false],
  ])("of two receivers of one name with %s are not added up", async (_, shared) => {
    const telemetry = openTelemetry(sdk.providers);
    const inbox = listInbox({ stats });
    receiverOf(telemetry, inbox);
    receiverOf(shared ? telemetry : openTelemetry(sdk.providers), inbox);
    expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
    expect(await gauge("inboxOldestAge")).toEqual([["orders-api", undefined, 90.5]]);
  });

  it("report nothing of an inbox that has never answered, and go on for the others", async () => {
    const telemetry = openTelemetry(sdk.providers);
    receiverOf(telemetry, listInbox({ stats: () => Promise.reject(new Error("down")) }));
    receiverOf(telemetry, listInbox({ stats }), { namespace: "billing" });
    expect(await gauge("inboxEvents")).toEqual(events("billing"));
  });

  it("are no number once the last receiver of the inbox is closed", async () => {
    const telemetry = openTelemetry(sdk.providers);
    const inbox = listInbox({ stats });
    const [web, worker] = [receiverOf(telemetry, inbox), receiverOf(telemetry, inbox)];
    await web.close();
    expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
    await worker.close();
    for (let collection = 1; collection <= 2; collection++) {
      expect(await gauge("inboxEvents")).toEqual(events("orders-api", Number.NaN));
      expect(await gauge("inboxOldestAge")).toEqual([["orders-api", undefined, Number.NaN]]);
    }
  });

  it("are no number while an inbox fails that has answered before: the SDK would repeat its last answer", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      let failing = false;
      const telemetry = openTelemetry(sdk.providers);
      receiverOf(telemetry, listInbox({ stats: () => (failing ? Promise.reject(new Error("down")) : stats()) }));
      for (const expected of [undefined, Number.NaN, undefined]) {
        failing = expected !== undefined;
        vi.advanceTimersByTime(15_000);
        expect(await gauge("inboxEvents")).toEqual(events("orders-api", expected));
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("are there although the SDK starts after the receiver and no event comes", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const receiver = receiverOf(openTelemetry(), listInbox({ stats }));
      startGlobally(sdk);
      expect(await gauge("inboxEvents")).toEqual([]);
      vi.advanceTimersByTime(1_000);
      expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
      await receiver.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("move to the next SDK", async () => {
    startGlobally(sdk);
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      receiverOf(openTelemetry(), listInbox({ stats }));
      stopGlobally();
      const first = sdk;
      sdk = makeSdk();
      startGlobally(sdk);
      vi.advanceTimersByTime(1_000);
      expect(await gauge("inboxEvents")).toEqual(events("orders-api"));
      expect(await first.collect(METRICS.inboxEvents.name)).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("come with the counter of parked events at 0, so that the first one is an increase", async () => {
    receiverOf(openTelemetry(sdk.providers), listInbox({ stats }));
    await sdk.collect();
    expect(await sdk.collect(METRICS.inboxParked.name)).toMatchObject([{ value: 0 }]);
  });
});
