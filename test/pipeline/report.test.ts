import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/delivery.ts";
import type { DeliveryReport, Receiver, ReceiverOptions } from "../../src/index.ts";
import { faultyStore, rejects } from "./faulty-store.ts";
import { accepted, anEvent, bench, gate, SECRET, signed } from "./receiving.ts";

const THROWN = new Error("handler");

interface Path {
  readonly options?: Partial<ReceiverOptions>;
  readonly before?: (receiver: Receiver) => unknown;
  readonly delivery: Delivery;
  readonly report: Partial<DeliveryReport>;
}

const down = faultyStore();
down.break("claim", rejects);
const genuine = signed();
const event = anEvent();
const identified = {
  eventId: event.event_id,
  type: event.event,
  identifiedBy: "payload",
  secretIndex: 0,
  bodyBytes: signed(event).body.length,
} as const;
const handling = (receiver: Receiver) => receiver.on("order.*", () => {});

/** Every outcome of a delivery. */
const PATHS: Record<string, Path> = {
  handled: { before: handling, delivery: signed(event), report: { outcome: "accepted", status: 200, ...identified } },
  failed: {
    before: (receiver) =>
      receiver.on("order.*", () => {
        throw THROWN;
      }),
    delivery: signed(event),
    report: { outcome: "accepted", status: 500, code: "handler_failed", error: THROWN, ...identified },
  },
  "without handlers": {
    delivery: signed(event),
    report: { outcome: "accepted", status: 500, code: "no_handlers", ...identified },
  },
  unhandled: {
    before: (receiver) => receiver.on("kyc.*", () => {}),
    delivery: signed(event),
    report: { outcome: "accepted", status: 200, code: "unhandled", ...identified },
  },
  "unhandled and rejected": {
    options: { onUnhandled: "reject" },
    before: (receiver) => receiver.on("kyc.*", () => {}),
    delivery: signed(event),
    report: { outcome: "accepted", status: 500, code: "unhandled", ...identified },
  },
  duplicate: {
    before: async (receiver) => accepted(await receiver.receive(signed(event))).settle("processed"),
    delivery: signed(event),
    report: { outcome: "duplicate", status: 200, ...identified },
  },
  "in flight": {
    before: (receiver) => receiver.receive(signed(event)),
    delivery: signed(event),
    report: { outcome: "in_flight", status: 503, code: "event_in_flight", ...identified },
  },
  ping: {
    delivery: signed({ event: "bluum-webhooks.ping" }),
    report: { outcome: "ping", status: 200, type: "bluum-webhooks.ping" },
  },
  "store down": {
    options: { store: down, namespace: "a" },
    delivery: signed(event),
    report: { outcome: "rejected", status: 503, code: "store_unavailable", ...identified },
  },
  "secret unavailable": {
    options: { secret: () => "" },
    delivery: genuine,
    report: { outcome: "rejected", status: 503, code: "secret_unavailable" },
  },
  "wrong method": {
    delivery: { ...genuine, method: "GET" },
    report: { outcome: "rejected", status: 405, code: "method_not_allowed" },
  },
  unsigned: {
    delivery: { ...genuine, headers: {} },
    report: { outcome: "rejected", status: 401, code: "signature_missing" },
  },
  forged: {
    delivery: signed(event, { secret: "some-other-shared-secret" }),
    report: { outcome: "rejected", status: 401, code: "signature_mismatch", bodyBytes: signed(event).body.length },
  },
  "too large": {
    options: { maxBodyBytes: 5 },
    delivery: genuine,
    report: { outcome: "rejected", status: 413, code: "body_too_large" },
  },
  "cut off": {
    delivery: { ...genuine, body: () => Promise.reject(new Error("reset")) },
    report: { outcome: "rejected", status: 408, code: "body_incomplete" },
  },
  "not JSON": {
    delivery: signed("{"),
    report: { outcome: "rejected", status: 400, code: "payload_not_json", secretIndex: 0, bodyBytes: 1 },
  },
  "too old": {
    delivery: signed({ event: "order.filled", timestamp: "2001-01-01T00:00:00Z" }),
    report: { outcome: "rejected", status: 400, code: "event_too_old", type: "order.filled" },
  },
  closed: {
    before: (receiver) => receiver.close(),
    delivery: genuine,
    report: { outcome: "rejected", status: 503, code: "receiver_closed" },
  },
};

describe("a delivery's report", () => {
  it.each(Object.entries(PATHS))(
    "is one record and agrees with the answer: %s",
    async (_, { options, before, delivery, report }) => {
      const { receiver, reports } = bench(options);
      await before?.(receiver);
      const earlier = reports.length;
      const reply = await receiver.handle(delivery);
      expect(reports).toHaveLength(earlier + 1);
      expect(reports.at(-1)).toMatchObject(report);
      expect(reports.at(-1)?.status).toBe(reply.status);
      expect(reports.at(-1)?.code).toBe(report.code);
      for (const ms of ["readMs", "verifyMs", "claimMs", "handleMs", "settleMs"] as const)
        expect(reports.at(-1)?.[ms]).toBeGreaterThanOrEqual(0);
    },
  );

  it("carries the error behind a rejection", async () => {
    const { receiver, reports } = bench({ store: down, namespace: "a" });
    await receiver.receive(signed());
    expect(reports).toMatchObject([{ error: { code: "store_unavailable", cause: { name: "StoreDown" } } }]);
  });

  it("is sent when middleware settles, with its detail", async () => {
    const { receiver, reports } = bench();
    const processed = accepted(await receiver.receive(signed()));
    expect(reports).toEqual([]);
    await processed.settle("processed", { status: 204 });
    expect(reports).toMatchObject([{ outcome: "accepted", status: 204 }]);
    expect(reports[0]?.code).toBeUndefined();
    await accepted(await receiver.receive(signed())).settle("failed", { status: 502, error: THROWN });
    expect(reports[1]).toMatchObject({ outcome: "accepted", status: 502, code: "handler_failed", error: THROWN });
    await accepted(await receiver.receive(signed())).settle("failed");
    expect(reports[2]).toMatchObject({ code: "handler_failed" });
    expect(reports[2]).not.toHaveProperty("status");
  });

  it("is not changed by a later settlement", async () => {
    const { receiver, reports } = bench();
    const outcome = accepted(await receiver.receive(signed()));
    await outcome.settle("processed", { status: 200 });
    const sent = structuredClone(reports);
    await outcome.settle("failed", { status: 500, error: THROWN });
    expect(reports).toEqual(sent);
  });

  it("has the duration of each step", async () => {
    let at = 0;
    const store = faultyStore();
    const body = gate<Uint8Array>();
    const slow = (ms: number) => async (act: () => Promise<unknown>) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return act();
    };
    store.break("claim", slow(30));
    store.break("complete", slow(30));
    const { receiver, reports } = bench({ store, namespace: "a", secret: async () => SECRET });
    receiver.on("*", () => new Promise((resolve) => setTimeout(resolve, 30)));
    const delivery = signed();
    setTimeout(() => body.open(delivery.body), 30);
    await receiver.handle({ ...delivery, body: () => body.passed });
    for (const ms of ["readMs", "claimMs", "handleMs", "settleMs"] as const) at += Number((reports[0]?.[ms] ?? 0) > 20);
    expect(at).toBe(4);
    expect(reports[0]?.verifyMs).toBeGreaterThan(0);
  });
});

describe("an observer", () => {
  const misbehaving: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("metrics down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("metrics down"))],
    [
      "returns a thenable that throws",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
        then() {
          throw new Error("metrics down");
        },
      }),
    ],
  ];
  it.each(misbehaving)("that %s does no harm", async (_, observe) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const { receiver } = bench({ observe: observe as () => void });
    receiver.on("*", () => {});
    expect(await receiver.handle(signed())).toMatchObject({ status: 200 });
    expect(await receiver.handle({ ...signed(), method: "GET" })).toMatchObject({ status: 405 });
    await new Promise(setImmediate);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("may be left out", async () => {
    const { receiver } = bench({ observe: undefined as never });
    expect(await receiver.receive(signed())).toMatchObject({ kind: "accepted" });
  });
});
