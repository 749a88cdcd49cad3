import { describe, expect, it, vi } from "vitest";
import { DUPLICATE, faultyBench, found, inStoppedTime, LEASE, OK, one, pass, takeOver } from "./claims.ts";
import { actsThenRejects, type Fault, hangs, rejects, throwsAtOnce } from "./faulty-store.ts";
import { accepted, verdict } from "./receiving.ts";

inStoppedTime();

describe("settling a claim", () => {
  it("counts once, whichever result came first", async () => {
    const { receiver, store } = faultyBench();
    for (const [first, second, settled, then] of [
      ["processed", "failed", "stored", "duplicate"],
      ["failed", "processed", "released", "accepted"],
      ["processed", "processed", "stored", "duplicate"],
      ["failed", "failed", "released", "accepted"],
    ] as const) {
      const { delivery } = one();
      const outcome = accepted(await receiver.receive(delivery));
      const before = store.count("complete") + store.count("release");
      expect(await Promise.all([outcome.settle(first), outcome.settle(second)])).toEqual([settled, settled]);
      expect(await outcome.settle(second)).toBe(settled);
      expect(store.count("complete") + store.count("release")).toBe(before + 1);
      expect(verdict(await receiver.receive(delivery))).toBe(then);
    }
  });

  it("leaves no timer behind", async () => {
    const { receiver } = faultyBench();
    for (const result of ["processed", "failed"] as const)
      await accepted(await receiver.receive(one().delivery)).settle(result);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("stops the one timer that the claim has", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const first = accepted(await receiver.receive(delivery));
    expect(vi.getTimerCount()).toBe(1);
    await pass(3 * LEASE);
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
    await first.settle("processed");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a completion that the store fails to record", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
    ["acts, but its reply is lost", actsThenRejects],
  ])("is answered 200 and retried in the background while the claim is renewed, when it %s", async (_, fault) => {
    const { receiver, store, lines } = faultyBench();
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    const { delivery } = one();
    store.break("complete", fault);
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(lines).toMatchObject([{ level: "error", message: expect.stringContaining("processed") }]);
    for (let n = 0; n < 5; n++) {
      await pass(2 * LEASE);
      expect((await receiver.handle(delivery)).status).toBe(fault === actsThenRejects ? 200 : 503);
    }
    store.heal("complete");
    await pass(LEASE);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is retried with a growing pause", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    store.break("complete", rejects);
    await accepted(await receiver.receive(one().delivery)).settle("processed");
    await pass(60_000);
    expect(store.count("complete")).toBeLessThanOrEqual(10);
    expect(store.count("renew")).toBe(store.count("complete") - 1);
  });

  it("is given up after two minutes, and that is logged", async () => {
    for (const renewal of [rejects, throwsAtOnce]) {
      const { receiver, store, lines } = faultyBench();
      store.break("complete", rejects);
      store.break("renew", renewal);
      expect(await accepted(await receiver.receive(one().delivery)).settle("processed")).toBe("unstored");
      await pass(119_000);
      expect(lines.map(({ message }) => message)).not.toContainEqual(expect.stringContaining("two minutes"));
      await pass(2_000);
      expect(lines.map(({ message }) => message)).toContainEqual(expect.stringContaining("two minutes"));
      const tries = store.count("complete");
      await pass(60_000);
      expect(store.count("complete")).toBe(tries);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("is answered 200 after ten seconds and retried, when it hangs", async () => {
    const { receiver, store } = faultyBench();
    receiver.on("order.filled", () => {});
    const { delivery } = one();
    store.break("complete", hangs, 1);
    const reply = receiver.handle(delivery);
    await pass(10_000);
    expect(await reply).toMatchObject(OK);
    await pass(LEASE);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it("is not retried once another process has claimed the event", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    store.break("complete", rejects, 1);
    await accepted(await receiver.receive(delivery)).settle("processed");
    await takeOver(store, key);
    await pass(5 * LEASE);
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a release that the store fails to record", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
  ])("leaves the claim to expire with its lease, when it %s", async (_, fault) => {
    const { receiver, store, lines } = faultyBench();
    const { delivery } = one();
    store.break("release", fault);
    expect(await accepted(await receiver.receive(delivery)).settle("failed")).toBe("unstored");
    expect(lines).toMatchObject([{ message: expect.stringContaining("could not release the claim") }]);
    expect(verdict(await receiver.receive(delivery))).toBe("in_flight");
    await pass(LEASE);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it("does not keep the retry away, when only its reply was lost", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    store.break("release", actsThenRejects);
    expect(await accepted(await receiver.receive(delivery)).settle("failed")).toBe("unstored");
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });
});
