import { describe, expect, it, vi } from "vitest";
import { code, DUPLICATE, faultyBench, inStoppedTime, LEASE, OK, one, pass } from "./claims.ts";
import { accepted, gate, verdict } from "./receiving.ts";

inStoppedTime();

describe("a handler that takes long", () => {
  it("keeps its claim beyond the lease: a second delivery is in flight", async () => {
    const { receiver, store } = faultyBench();
    const working = gate();
    let signal: AbortSignal | undefined;
    receiver.on("order.filled", (_, context) => {
      signal = context.signal;
      return working.passed;
    });
    const { delivery } = one();
    const first = receiver.handle(delivery);
    for (let n = 0; n < 10; n++) {
      await pass(LEASE);
      expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    }
    expect(signal?.aborted).toBe(false);
    expect(store.count("renew")).toBeGreaterThanOrEqual(29);
    expect(store.count("renew")).toBeLessThanOrEqual(31);
    working.open();
    expect(await first).toMatchObject(OK);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it("is answered 503 after maxProcessingMs, and its success still counts", async () => {
    const { receiver, reports, lines } = faultyBench({ maxProcessingMs: 3_000 });
    const working = gate();
    const handler = vi.fn(() => working.passed);
    receiver.on("order.filled", handler);
    const { delivery } = one();
    const first = receiver.handle(delivery);
    await pass(3_000);
    expect(await first).toMatchObject({ ...code(503, "handler_timeout"), headers: { "retry-after": "5" } });
    expect(lines).toMatchObject([
      {
        level: "error",
        message: expect.stringMatching(/^bluum-webhooks: handler_timeout: handler "order.filled:1" did/),
      },
    ]);
    expect(reports).toMatchObject([{ outcome: "accepted", code: "handler_timeout", status: 503 }]);
    working.open();
    await pass(1);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(reports).toHaveLength(2);
  });

  it("releases the event at once, when it gives up after maxProcessingMs", async () => {
    const { receiver } = faultyBench({ maxProcessingMs: 3_000 });
    let calls = 0;
    receiver.on("order.filled", (_, { signal }) => {
      if (++calls > 1) return undefined;
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    const { delivery } = one();
    const first = receiver.handle(delivery);
    await pass(3_000);
    expect(await first).toMatchObject(code(503, "handler_timeout"));
    expect(await receiver.handle(delivery)).toMatchObject(OK);
  });

  it("holds neither a timer nor close after maxProcessingMs, when it never returns", async () => {
    const { receiver } = faultyBench({ maxProcessingMs: 3_000 });
    receiver.on("order.filled", () => new Promise(() => {}));
    const first = receiver.handle(one().delivery);
    await pass(3_000);
    await first;
    expect(vi.getTimerCount()).toBe(0);
    await receiver.close();
  });

  it("is answered 503 when maxProcessingMs passed before it was started", async () => {
    const { receiver, reports } = faultyBench({ maxProcessingMs: 3_000 });
    receiver.on("order.filled", () => {});
    const delivery = { ...one().delivery, request: {} };
    await receiver.receive(delivery);
    await pass(3_000);
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "handler_timeout"));
    expect(reports).toMatchObject([{ code: "handler_timeout" }]);
  });

  it("keeps the handlers after it from starting, once maxProcessingMs has passed", async () => {
    const { receiver } = faultyBench({ maxProcessingMs: 3_000 });
    const working = gate();
    const second = vi.fn();
    receiver.on("order.filled", () => working.passed).on("order.*", second);
    const { delivery } = one();
    const first = receiver.handle(delivery);
    await pass(3_000);
    expect(await first).toMatchObject(code(503, "handler_timeout"));
    working.open();
    await pass(1);
    expect(second).not.toHaveBeenCalled();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(second).toHaveBeenCalledTimes(1);
  });
});

describe("an event that middleware does not settle within maxProcessingMs", () => {
  it("is held until then; after that the signal aborts, it is reported and the lease expires", async () => {
    const { receiver, reports, store } = faultyBench({ maxProcessingMs: 5_000 });
    const { delivery } = one();
    const { context } = accepted(await receiver.receive(delivery));
    await pass(4_999);
    expect(context.signal.aborted).toBe(false);
    expect(verdict(await receiver.receive(delivery))).toBe("in_flight");
    reports.length = 0;
    await pass(1);
    expect(context.signal.reason).toMatchObject({ code: "handler_timeout" });
    expect(reports).toMatchObject([{ outcome: "accepted", code: "handler_timeout" }]);
    const renewals = store.count("renew");
    await pass(LEASE);
    expect(store.count("renew")).toBe(renewals);
    expect(vi.getTimerCount()).toBe(0);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it("can still be settled later, unless another process has claimed it by then", async () => {
    const { receiver, reports } = faultyBench({ maxProcessingMs: 5_000 });
    const [late, tooLate] = [one(), one()];
    const [slow, slower] = [
      accepted(await receiver.receive(late.delivery)),
      accepted(await receiver.receive(tooLate.delivery)),
    ];
    await pass(7_000);
    expect(await slow.settle("processed")).toBe("stored");
    expect(verdict(await receiver.receive(late.delivery))).toBe("duplicate");
    expect(verdict(await receiver.receive(tooLate.delivery))).toBe("accepted");
    expect(await slower.settle("processed")).toBe("held_by_another");
    expect(reports.filter(({ code }) => code === "handler_timeout")).toHaveLength(2);
  });
});
