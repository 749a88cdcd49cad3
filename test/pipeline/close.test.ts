import { describe, expect, it, vi } from "vitest";
import { receiverOf } from "../../src/adapter.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { code, faultyBench, found, inStoppedTime, LEASE, OK, one, pass } from "./claims.ts";
import { rejects } from "./faulty-store.ts";
import { accepted, bench, gate, signed, verdict } from "./receiving.ts";

inStoppedTime();

describe("close", () => {
  it("refuses new deliveries, duplicates and pings with 503", async () => {
    const { receiver } = faultyBench();
    receiver.on("*", () => {});
    const { delivery } = one();
    await receiver.handle(delivery);
    await receiver.close();
    for (const late of [delivery, one().delivery, signed({ event: "bluum-webhooks.ping" })]) {
      expect(await receiver.handle(late)).toMatchObject({
        ...code(503, "receiver_closed"),
        headers: { "retry-after": "5" },
      });
    }
  });

  /** Whether a promise has settled by now. */
  function watched(promise: Promise<unknown>): { done: boolean } {
    const state = { done: false };
    void promise.then(() => {
      state.done = true;
    });
    return state;
  }

  it("waits for a running handler and its answer", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const working = gate();
    receiver.on("order.filled", () => working.passed);
    const reply = receiver.handle(delivery);
    await pass(1);
    const closing = watched(receiver.close());
    await pass(20_000);
    expect(closing.done).toBe(false);
    working.open();
    expect(await reply).toMatchObject(OK);
    await pass(20);
    expect(closing.done).toBe(true);
    expect(await found(store, key)).toEqual({ status: "completed" });
  });

  it("waits for an event that middleware has not settled", async () => {
    const { receiver } = faultyBench();
    const outcome = accepted(await receiver.receive(one().delivery));
    const closing = watched(receiver.close());
    await pass(1_000);
    expect(closing.done).toBe(false);
    await outcome.settle("failed");
    await pass(20);
    expect(closing.done).toBe(true);
  });

  it("waits for a completion that is being retried", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    store.break("complete", rejects);
    await accepted(await receiver.receive(delivery)).settle("processed");
    const closing = watched(receiver.close());
    await pass(5_000);
    expect(closing.done).toBe(false);
    store.heal("complete");
    await pass(LEASE);
    expect(closing.done).toBe(true);
    expect(await found(store, key)).toEqual({ status: "completed" });
  });

  it("waits for a claim that the store has not answered, and for its handlers", async () => {
    const { receiver, store } = faultyBench();
    const [claiming, working] = [gate(), gate()];
    store.break("claim", (act) => claiming.passed.then(act), 1);
    receiver.on("order.filled", () => working.passed);
    const reply = receiver.handle(one().delivery);
    await pass(1);
    const closing = watched(receiver.close());
    await pass(1_000);
    claiming.open();
    await pass(1_000);
    expect(closing.done).toBe(false);
    working.open();
    expect(await reply).toMatchObject(OK);
    await pass(20);
    expect(closing.done).toBe(true);
  });

  it("refuses a delivery whose body was still arriving", async () => {
    const { receiver, store } = faultyBench();
    const arriving = gate<Uint8Array>();
    const { delivery } = one();
    const outcome = receiver.receive({ ...delivery, body: () => arriving.passed });
    await receiver.close();
    arriving.open(delivery.body as Uint8Array);
    expect(verdict(await outcome)).toBe("receiver_closed");
    expect(store.calls).toEqual([]);
  });

  it("waits at most thirty seconds, or timeoutMs", async () => {
    for (const [options, ms] of [
      [undefined, 30_000],
      [{}, 30_000],
      [{ timeoutMs: 1_000 }, 1_000],
      [{ timeoutMs: 3 }, 3],
    ] as const) {
      const { receiver } = faultyBench();
      await receiver.receive(one().delivery);
      const closing = watched(receiver.close(options));
      await pass(ms - 1);
      expect(closing.done).toBe(false);
      await pass(20);
      expect(closing.done).toBe(true);
    }
    const { receiver } = faultyBench();
    await receiver.receive(one().delivery);
    await receiver.close({ timeoutMs: 0 });
  });

  it("still returns the outcome of a request accepted before", async () => {
    const { receiver } = faultyBench();
    const delivery = { ...one().delivery, request: {} };
    const outcome = accepted(await receiver.receive(delivery));
    const closing = receiver.close();
    expect(await receiver.receive(delivery)).toBe(outcome);
    await outcome.settle("processed");
    await pass(20);
    await closing;
  });

  it("closes only a store that the receiver made itself", async () => {
    const close = vi.fn();
    const { receiver } = bench({ store: { ...memoryStore(), close }, namespace: "a" });
    await receiver.close();
    expect(close).not.toHaveBeenCalled();
    await receiverOf(bench().receiver).close();
  });

  it("with timeoutMs 0 leaves open events to be settled, apart from another receiver's", async () => {
    const { receiver } = bench();
    const [first, second] = [signed(), signed()];
    const early = accepted(await receiver.receive(first));
    await receiver.close({ timeoutMs: 0 });
    const other = bench().receiver;
    const late = accepted(await other.receive(second));
    expect(await early.settle("processed")).toBe("stored");
    expect(verdict(await other.receive(second))).toBe("in_flight");
    expect(await late.settle("processed")).toBe("stored");
    expect(verdict(await other.receive(second))).toBe("duplicate");
  });

  it("may be called twice", async () => {
    const { receiver } = bench();
    await Promise.all([receiver.close(), receiver.close()]);
  });
});
