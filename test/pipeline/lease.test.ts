import { describe, expect, it, vi } from "vitest";
import type { Receiver } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { code, DUPLICATE, faultyBench, found, inStoppedTime, LEASE, OK, one, pass, takeOver } from "./claims.ts";
import { type Fault, type FaultyStore, hangs, rejects, throwsAtOnce } from "./faulty-store.ts";
import { accepted, bench, gate, signed, verdict } from "./receiving.ts";

inStoppedTime();

describe("the renewal of a lease", () => {
  /** When each renewal was sent, in milliseconds after the claim. */
  function renewals(store: FaultyStore, fault: Fault): number[] {
    const start = performance.now();
    const at: number[] = [];
    store.break("renew", (act) => {
      at.push(Math.round(performance.now() - start));
      return fault(act);
    });
    return at;
  }

  it("is sent after each third of the lease", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    const at = renewals(store, (act) => act());
    await receiver.receive(one().delivery);
    await pass(60_000);
    expect(at).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  });

  it("that fails is retried every tenth of the lease, and the claim is lost when the lease expires", async () => {
    for (const fault of [rejects, throwsAtOnce]) {
      const { receiver, store, lines } = faultyBench({ leaseMs: 30_000 });
      const at = renewals(store, fault);
      const { context } = accepted(await receiver.receive(one().delivery));
      await pass(29_999);
      expect(at).toEqual([10_000, 13_000, 16_000, 19_000, 22_000, 25_000, 28_000]);
      expect(context.signal.aborted).toBe(false);
      await pass(1);
      expect(context.signal.reason).toMatchObject({ code: "claim_lost" });
      expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("could not renew") }]);
      await pass(60_000);
      expect(at).toHaveLength(7);
    }
  });

  it("that fails for a while loses nothing", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    const outcome = accepted(await receiver.receive(one().delivery));
    store.break("renew", rejects, 4);
    await pass(120_000);
    expect(outcome.context.signal.aborted).toBe(false);
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("that hangs is given up in time to retry", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 6_000 });
    const outcome = accepted(await receiver.receive(one().delivery));
    store.break("renew", hangs, 1);
    await pass(120_000);
    expect(outcome.context.signal.aborted).toBe(false);
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("counts from when it was sent, not from when it was answered", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    const answer = gate();
    const outcome = accepted(await receiver.receive(one().delivery));
    store.break(
      "renew",
      async (act) => {
        const held = await act();
        await answer.passed;
        return held;
      },
      1,
    );
    await pass(19_000);
    answer.open();
    await pass(0);
    store.break("renew", hangs);
    await pass(10_000 + 30_000 - 19_000 - 1);
    expect(outcome.context.signal.aborted).toBe(false);
    await pass(1);
    expect(outcome.context.signal.aborted).toBe(true);
  });

  it("that is under way while the event is settled changes nothing", async () => {
    for (const [result, settled, then] of [
      ["processed", "stored", "duplicate"],
      ["failed", "released", "accepted"],
    ] as const) {
      const { receiver, store } = faultyBench();
      const { delivery } = one();
      const outcome = accepted(await receiver.receive(delivery));
      const { signal } = outcome.context;
      const late = gate();
      store.break("renew", (act) => late.passed.then(act), 1);
      await pass(LEASE / 2);
      expect(store.count("renew")).toBe(1);
      expect(await outcome.settle(result)).toBe(settled);
      late.open();
      await pass(LEASE * 3);
      expect(signal.aborted).toBe(false);
      expect(store.count("renew")).toBe(1);
      expect(verdict(await receiver.receive(delivery))).toBe(then);
    }
  });

  it("stops when the claim is settled by a listener of its loss", async () => {
    const { receiver, store } = faultyBench({ logger: false });
    const { delivery, key } = one();
    const outcome = accepted(await receiver.receive(delivery));
    outcome.context.signal.addEventListener("abort", () => void outcome.settle("failed"));
    store.break("renew", rejects);
    await pass(LEASE);
    expect(outcome.context.signal.aborted).toBe(true);
    await pass(1);
    expect(vi.getTimerCount()).toBe(0);
    expect(await found(store, key)).toEqual({ status: "claimed" });
  });
});

describe("a claim that was lost to another process", () => {
  it("aborts the signal, and settling leaves the new claim alone", async () => {
    for (const result of ["processed", "failed"] as const) {
      const { receiver, store } = faultyBench();
      const { delivery, key } = one();
      const outcome = accepted(await receiver.receive(delivery));
      await takeOver(store, key);
      await pass(LEASE / 2);
      expect(outcome.context.signal.reason).toMatchObject({ name: "WebhookError", code: "claim_lost" });
      expect(await outcome.settle(result)).toBe("held_by_another");
      expect(await found(store, key)).toMatchObject({ status: "in_flight" });
      expect(await store.sound.complete(key, { token: "another", retentionMs: 60_000 })).toBe("stored");
    }
  });

  it("has an aborted signal even when that is first read afterwards", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const { context } = accepted(await receiver.receive(delivery));
    await takeOver(store, key);
    await pass(LEASE);
    expect(context.signal.aborted).toBe(true);
    expect(context.signal).toBe(context.signal);
    expect(() => context.signal.throwIfAborted()).toThrow(expect.objectContaining({ code: "claim_lost" }));
  });

  it("is answered event_in_flight when the handler returns, and that is reported", async () => {
    const { receiver, store, reports, lines } = faultyBench();
    const { delivery, key } = one();
    const working = gate();
    receiver.on("order.filled", () => working.passed);
    const reply = receiver.handle(delivery);
    await pass(1);
    await takeOver(store, key);
    await pass(LEASE);
    working.open();
    expect(await reply).toMatchObject(code(503, "event_in_flight"));
    expect(reports).toMatchObject([{ outcome: "accepted", code: "claim_lost", status: 503 }]);
    expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("throwIfAborted") }]);
  });

  it("before the first renewal is noticed when settling", async () => {
    const { receiver, store, reports } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", () => takeOver(store, key));
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    expect(reports).toMatchObject([{ code: "claim_lost", status: 503 }]);
  });

  it("is answered as a duplicate when the other process has completed the event", async () => {
    const { receiver, store, reports } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", async () => {
      await takeOver(store, key);
      await store.sound.complete(key, { token: "another", retentionMs: 60_000 });
    });
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(reports).toMatchObject([{ code: "claim_lost", status: 200 }]);
  });

  it("is answered event_in_flight when the handler aborts, and no failed handler is logged", async () => {
    const { receiver, store, lines, reports } = faultyBench();
    const { delivery, key } = one();
    const working = gate();
    receiver.on("order.filled", async (_, { signal }) => {
      await working.passed;
      signal.throwIfAborted();
    });
    const reply = receiver.handle(delivery);
    await pass(1);
    await takeOver(store, key);
    await pass(LEASE);
    working.open();
    expect(await reply).toMatchObject(code(503, "event_in_flight"));
    expect(reports).toMatchObject([{ code: "event_in_flight", status: 503 }]);
    expect(lines).toEqual([]);
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });

  it("is answered handler_failed when the handler throws another error", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const working = gate();
    receiver.on("order.filled", async (_, { signal }) => {
      await takeOver(store, key);
      await working.passed;
      expect(signal.aborted).toBe(true);
      throw new Error("boom");
    });
    const reply = receiver.handle(delivery);
    await pass(LEASE);
    working.open();
    expect(await reply).toMatchObject(code(500, "handler_failed"));
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });
});

describe("an expired claim on the memory store", () => {
  /** Two receivers on one store whose clock is its own. */
  function sharing() {
    let now = 0;
    const store = memoryStore({ now: () => now });
    const receivers = [1, 2].map(() => bench({ store, namespace: "shared", leaseMs: 1_000 }).receiver);
    const expire = () => {
      now += 1_001;
    };
    return { receivers: receivers as [Receiver, Receiver], expire };
  }

  it("is completed when no other process has claimed the event", async () => {
    const { receivers, expire } = sharing();
    const delivery = signed();
    const outcome = accepted(await receivers[0].receive(delivery));
    expire();
    expect(await outcome.settle("processed")).toBe("stored");
    expect(verdict(await receivers[1].receive(delivery))).toBe("duplicate");
  });

  it("is not completed once another process has claimed or completed the event", async () => {
    for (const completed of [false, true]) {
      const { receivers, expire } = sharing();
      const delivery = signed();
      const stale = accepted(await receivers[0].receive(delivery));
      expire();
      const taken = accepted(await receivers[1].receive(delivery));
      if (completed) await taken.settle("processed");
      expect(await stale.settle("processed")).toBe(completed ? "completed_by_another" : "held_by_another");
      expect(await taken.settle("processed")).toBe("stored");
    }
  });

  it("does not disturb the next event when it is settled", async () => {
    const { receivers, expire } = sharing();
    const stale = accepted(await receivers[0].receive(signed()));
    expire();
    const next = signed();
    const outcome = accepted(await receivers[1].receive(next));
    expect(await stale.settle("processed")).toBe("stored");
    expect(verdict(await receivers[0].receive(next))).toBe("in_flight");
    expect(await outcome.settle("failed")).toBe("released");
    expect(verdict(await receivers[0].receive(next))).toBe("accepted");
  });
});

describe("a handler that returns after its lease has expired", () => {
  it("still counts when no other process has claimed the event", async () => {
    const { receiver, store, reports } = faultyBench();
    const working = gate();
    receiver.on("order.filled", () => working.passed);
    const { delivery } = one();
    const reply = receiver.handle(delivery);
    store.break("renew", rejects);
    await pass(3 * LEASE);
    working.open();
    expect(await reply).toMatchObject(OK);
    expect(reports).toMatchObject([{ code: "claim_lost", status: 200 }]);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });
});

describe("time", () => {
  /** Keeps the event loop busy, in real time. */
  function block(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  it("in which the event loop is blocked past the lease does not undo a success", async () => {
    vi.useRealTimers();
    const { receiver, reports } = faultyBench();
    let aborted: boolean | undefined;
    receiver.on("order.filled", async (_, { signal }) => {
      block(LEASE + 50);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      aborted = signal.aborted;
    });
    const { delivery } = one();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(aborted).toBe(true);
    expect(reports).toMatchObject([{ code: "claim_lost", status: 200 }]);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it("in which the event loop is blocked past the lease is no success when another process claims the event", async () => {
    vi.useRealTimers();
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", async () => {
      block(LEASE + 50);
      // The lease has expired, so the store grants it.
      expect(await store.sound.claim(key, { token: "another", leaseMs: 60_000 })).toEqual({ status: "claimed" });
    });
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });

  it.each([1, -1])("of lease and retention is not moved by a wall clock that steps %i hour", async (hours) => {
    const { receiver } = faultyBench();
    const [working, done] = [one(), one()];
    await accepted(await receiver.receive(done.delivery)).settle("processed");
    const outcome = accepted(await receiver.receive(working.delivery));
    await pass(LEASE / 2);
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    await pass(LEASE / 4);
    expect(verdict(await receiver.receive(working.delivery))).toBe("in_flight");
    await pass(5 * LEASE);
    expect(outcome.context.signal.aborted).toBe(false);
    expect(verdict(await receiver.receive(working.delivery))).toBe("in_flight");
    expect(verdict(await receiver.receive(done.delivery))).toBe("duplicate");
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("of the retention ends", async () => {
    const { receiver } = faultyBench({ retentionMs: 86_400_000 });
    const { delivery } = one();
    await accepted(await receiver.receive(delivery)).settle("processed");
    await pass(86_399_999);
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
    await pass(1);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });
});
