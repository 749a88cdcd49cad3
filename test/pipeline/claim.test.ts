import { describe, expect, it, vi } from "vitest";
import type { DeliveryContext } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { code, DUPLICATE, faultyBench, found, inStoppedTime, LEASE, OK, one, pass, takeOver } from "./claims.ts";
import { actsThenRejects, type Fault, faultyStore, hangs, rejects, throwsAtOnce } from "./faulty-store.ts";
import { accepted, bench, gate, signed, until, verdict } from "./receiving.ts";

inStoppedTime();

describe("an event", () => {
  it("that was processed is answered 200 without running the handler again", async () => {
    const { receiver } = faultyBench();
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    const { delivery } = one();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("that failed runs again", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    expect(await accepted(await receiver.receive(delivery)).settle("failed", { status: 500 })).toBe("released");
    expect(await found(store, key)).toEqual({ status: "claimed" });
    await store.sound.release(key, { token: "a third" });
    expect(await accepted(await receiver.receive(delivery)).settle("processed")).toBe("stored");
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
  });

  it("gets another fencing token at each attempt", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    for (let n = 0; n < 3; n++) await accepted(await receiver.receive(delivery)).settle("failed");
    const tokens = store.calls.filter(({ verb }) => verb === "claim").map(({ token }) => token);
    expect(new Set(tokens).size).toBe(3);
  });
});

describe("a store that fails at the claim", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
  ])("is answered 503 and its retry runs, when it %s", async (_, fault) => {
    const { receiver, store, reports, lines } = faultyBench();
    receiver.on("order.filled", () => {});
    const { delivery } = one();
    store.break("claim", fault, 1);
    expect(await receiver.handle(delivery)).toMatchObject({
      ...code(503, "store_unavailable"),
      headers: { "retry-after": "5" },
    });
    expect(reports).toMatchObject([{ outcome: "rejected", code: "store_unavailable", status: 503 }]);
    expect(lines).toMatchObject([{ level: "error", error: { name: "StoreDown" } }]);
    expect(await receiver.handle(delivery)).toMatchObject(OK);
  });

  it("is asked to release the claim, so that the retry runs at once when only the reply was lost", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    store.break("claim", actsThenRejects, 1);
    expect(verdict(await receiver.receive(delivery))).toBe("store_unavailable");
    await until(() => store.count("release") > 0, "the claim is released");
    expect(store.calls[1]?.token).toBe(store.calls[0]?.token);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
    ["hangs", hangs],
  ])("does no further harm when that release %s", async (_, fault) => {
    const { receiver, store } = faultyBench();
    store.break("claim", rejects);
    store.break("release", fault);
    expect(verdict(await receiver.receive(one().delivery))).toBe("store_unavailable");
    await receiver.close();
  });

  it("is answered 503 after ten seconds when it hangs, and a late claim is released", async () => {
    for (const release of [undefined, rejects, throwsAtOnce]) {
      const { receiver, store } = faultyBench();
      const { delivery, key } = one();
      const late = gate();
      store.break("claim", (act) => late.passed.then(act), 1);
      const outcome = receiver.receive(delivery);
      await pass(9_999);
      expect(store.count("release")).toBe(0);
      await pass(1);
      expect(verdict(await outcome)).toBe("store_unavailable");
      if (release) store.break("release", release);
      late.open();
      await pass(0);
      expect(store.count("release")).toBe(1);
      expect(await found(store, key)).toMatchObject({ status: release ? "in_flight" : "claimed" });
    }
  });

  it("is not asked to release a late claim that another process holds", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const late = gate();
    store.break("claim", (act) => late.passed.then(act), 1);
    const outcome = receiver.receive(delivery);
    await pass(10_000);
    await outcome;
    await takeOver(store, key);
    late.open();
    await pass(0);
    expect(store.count("release")).toBe(0);
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });

  it("gets no more claims while 1,000 are unanswered, and open claims go on", async () => {
    const { receiver, store } = faultyBench();
    const working = accepted(await receiver.receive(one().delivery));
    store.break("claim", hangs);
    const { delivery } = one();
    const waiting = Array.from({ length: 1_000 }, () => receiver.receive(delivery));
    await pass(0);
    expect(store.count("claim")).toBe(1_001);
    expect(verdict(await receiver.receive(delivery))).toBe("store_unavailable");
    expect(store.count("claim")).toBe(1_001);
    await pass(LEASE);
    expect(store.count("renew")).toBeGreaterThan(1);
    expect(await working.settle("processed")).toBe("stored");
    await pass(10_000);
    expect(new Set((await Promise.all(waiting)).map(verdict))).toEqual(new Set(["store_unavailable"]));
    store.heal("claim");
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it("gets no more claims when it counts 1,000 unanswered calls itself", async () => {
    let unanswered = 999;
    const sound = faultyStore();
    const { receiver } = bench({ store: { ...sound, unanswered: () => unanswered }, namespace: "life" });
    expect(verdict(await receiver.receive(one().delivery))).toBe("accepted");
    unanswered = 1_000;
    expect(verdict(await receiver.receive(one().delivery))).toBe("store_unavailable");
    expect(sound.calls.map(({ verb }) => verb)).toEqual(["claim"]);
  });

  it("is answered 503 when it is full of open claims", async () => {
    const { receiver } = bench({ store: memoryStore({ maxEntries: 1 }) });
    await receiver.receive(signed());
    expect(verdict(await receiver.receive(signed()))).toBe("store_unavailable");
  });
});

describe("a store that fails at the claim, with onStoreError accept", () => {
  const options = { onStoreError: "accept" } as const;

  it("processes the event, flags it and remembers it once the store is back", async () => {
    for (const fault of [rejects, throwsAtOnce, actsThenRejects]) {
      const { receiver, store, lines, reports } = faultyBench(options);
      const { delivery } = one();
      const seen: DeliveryContext[] = [];
      receiver.on("order.filled", (_, context) => void seen.push(context));
      store.break("claim", fault, 1);
      expect(await receiver.handle(delivery)).toMatchObject(OK);
      expect(seen).toMatchObject([{ deduplicated: false }]);
      expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("may run twice") }]);
      expect(reports).toMatchObject([{ outcome: "accepted", status: 200 }]);
      expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    }
  });

  it("flags nothing when the store answers", async () => {
    const { receiver } = faultyBench(options);
    expect(accepted(await receiver.receive(one().delivery)).context.deduplicated).toBe(true);
  });

  it("renews nothing, and maxProcessingMs still bounds the work", async () => {
    const { receiver, store } = faultyBench({ ...options, maxProcessingMs: 5_000 });
    store.break("claim", rejects);
    const { context } = accepted(await receiver.receive(one().delivery));
    await pass(4_999);
    expect(store.count("renew")).toBe(0);
    expect(context.signal.aborted).toBe(false);
    await pass(1);
    expect(context.signal.reason).toMatchObject({ code: "handler_timeout" });
  });

  it("answers 200 and retries the completion while the store stays down", async () => {
    const { receiver, store } = faultyBench(options);
    receiver.on("order.filled", () => {});
    for (const verb of ["claim", "renew", "complete", "release"] as const) store.break(verb, rejects);
    const { delivery } = one();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    await pass(10_000);
    for (const verb of ["claim", "renew", "complete", "release"] as const) store.heal(verb);
    await pass(LEASE);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it("answers event_in_flight when another process has claimed the event meanwhile", async () => {
    const { receiver, store } = faultyBench(options);
    const { delivery, key } = one();
    store.break("claim", rejects);
    receiver.on("order.filled", () => takeOver(store, key));
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });

  it("lets a failed event run again", async () => {
    const { receiver, store } = faultyBench(options);
    const { delivery } = one();
    store.break("claim", rejects, 1);
    await accepted(await receiver.receive(delivery)).settle("failed");
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });
});
