import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Delivery } from "../../src/delivery.ts";
import { type DedupeStore, type DeliveryContext, memoryStore, type ReceiverOptions } from "../../src/index.ts";
import { accepted, type Bench, bench, gate, signed } from "./receiving.ts";

const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };
const TIMEOUT = { status: 503, body: '{"error":{"code":"handler_timeout"}}' };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A receiver whose store records when each requested lease ends. */
function leasing(
  options: Partial<ReceiverOptions> = {},
): Bench & { readonly leases: [verb: string, endsAt: number][] } {
  const sound = memoryStore();
  const began = performance.now();
  const leases: [string, number][] = [];
  const noting = (verb: "claim" | "renew") => (key: string, by: { token: string; leaseMs: number }) => {
    leases.push([verb, performance.now() - began + by.leaseMs]);
    return sound[verb](key, by) as never;
  };
  const store: DedupeStore = { ...sound, claim: noting("claim"), renew: noting("renew") };
  return { leases, ...bench({ store, namespace: "ending", ...options }) };
}

describe("a delivery with timeLeftMs", () => {
  const within = (timeLeftMs: number, delivery: Delivery = signed()): Delivery => ({ ...delivery, timeLeftMs });

  it("is claimed at most until the deadline", async () => {
    const { receiver, leases } = leasing();
    receiver.on("*", () => {});
    await receiver.handle(within(5_000));
    expect(leases).toEqual([["claim", 5_000]]);
  });

  it("is renewed at most until the deadline", async () => {
    const { receiver, leases } = leasing({ leaseMs: 30_000 });
    receiver.on("*", () => new Promise(() => {}));
    const answer = receiver.handle(within(45_000));
    await pass(100_000);
    expect(await answer).toMatchObject(TIMEOUT);
    expect(leases.map(([verb]) => verb)).toEqual(["claim", "renew", "renew"]);
    expect(leases.map(([, endsAt]) => Math.round(endsAt / 1_000))).toEqual([30, 40, 45]);
  });

  it.each([
    [60_000, 59_500],
    [1_000, 900],
  ])("of %i ms aborts the handler and is answered after %i ms", async (timeLeftMs, answeredAfterMs) => {
    const { receiver, reports } = leasing();
    let context: DeliveryContext | undefined;
    receiver.on("*", (_event, given) => {
      context = given;
      return new Promise(() => {});
    });
    const answer = receiver.handle(within(timeLeftMs));
    await pass(answeredAfterMs - 50);
    expect(context?.signal.aborted).toBe(false);
    await pass(60);
    expect(context?.signal.reason).toMatchObject({ code: "handler_timeout" });
    expect(await answer).toMatchObject(TIMEOUT);
    expect(reports).toMatchObject([{ code: "handler_timeout", status: 503 }]);
  });

  it("does not lengthen maxProcessingMs", async () => {
    const { receiver } = leasing({ leaseMs: 1_000, maxProcessingMs: 1_000 });
    receiver.on("*", () => new Promise(() => {}));
    const answer = receiver.handle(within(3_600_000));
    await pass(1_001);
    expect(await answer).toMatchObject(TIMEOUT);
  });

  it("is free for another process after the deadline", async () => {
    const { receiver } = leasing();
    receiver.on("*", () => new Promise(() => {}));
    const delivery = signed();
    void receiver.handle(within(5_000, delivery));
    await pass(4_900);
    expect((await receiver.receive(delivery)).kind).toBe("in_flight");
    await pass(101);
    expect((await receiver.receive(delivery)).kind).toBe("accepted");
  });

  it("limits the claims of several handlers", async () => {
    const { receiver, leases } = leasing();
    receiver.on("*", () => new Promise((resolve) => setTimeout(resolve, 2_000)));
    receiver.on("order.*", () => {});
    const answer = receiver.handle(within(5_000));
    await pass(2_001);
    expect(await answer).toMatchObject({ status: 200 });
    expect(leases.filter(([verb]) => verb === "claim")).toEqual(Array(3).fill(["claim", 5_000]));
  });

  it("is not claimed when the deadline passes while its body is read", async () => {
    const { receiver, leases } = leasing();
    receiver.on("*", () => {});
    const { body } = signed();
    const slow = async () => {
      await pass(1_000);
      return body as Uint8Array;
    };
    expect(await receiver.handle({ ...within(1_000), body: slow })).toMatchObject({ status: 401 });
    const delivery = signed();
    const late = async () => {
      await pass(1_000);
      return delivery.body;
    };
    expect(await receiver.handle({ ...within(1_000, delivery), body: late })).toMatchObject(TIMEOUT);
    expect(leases).toEqual([]);
  });
});

describe("waitUntil", () => {
  /** Counts the promises that waitUntil got, and how many of them are settled. */
  function holder() {
    const held = { taken: 0, done: 0 };
    const waitUntil = (work: Promise<unknown>) => {
      held.taken += 1;
      void work.then(() => {
        held.done += 1;
      });
    };
    return { held, waitUntil };
  }

  it("gets the handlers' work when it starts", async () => {
    const { receiver } = leasing();
    const working = gate();
    receiver.on("*", () => working.passed);
    const { held, waitUntil } = holder();
    const answer = receiver.handle({ ...signed(), waitUntil });
    await pass(1);
    expect(held).toEqual({ taken: 1, done: 0 });
    working.open();
    expect(await answer).toMatchObject({ status: 200 });
    await pass(1);
    expect(held).toEqual({ taken: 1, done: 1 });
  });

  it("gets work that outlasts the answer, until it is settled", async () => {
    const { receiver } = leasing({ leaseMs: 1_000, maxProcessingMs: 1_000 });
    const working = gate();
    receiver.on("*", () => working.passed);
    const { held, waitUntil } = holder();
    const delivery = signed();
    const answer = receiver.handle({ ...delivery, waitUntil });
    await pass(1_001);
    expect(await answer).toMatchObject(TIMEOUT);
    expect(held).toEqual({ taken: 1, done: 0 });
    working.open();
    await pass(1);
    expect(held).toEqual({ taken: 1, done: 1 });
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it.each(["handle", "receive"] as const)("gets a completion that is being retried, from %s", async (way) => {
    let failures = 2;
    const sound = memoryStore();
    const complete: DedupeStore["complete"] = async (...args) => {
      failures -= 1;
      if (failures >= 0) throw new Error("away for a moment");
      return sound.complete(...args);
    };
    const { receiver } = bench({ store: { ...sound, complete }, namespace: "ending", leaseMs: 1_000 });
    receiver.on("*", () => {});
    const { held, waitUntil } = holder();
    const delivery = signed();
    if (way === "handle") await receiver.handle({ ...delivery, waitUntil });
    else await accepted(await receiver.receive({ ...delivery, waitUntil })).settle("processed");
    const others = way === "handle" ? 1 : 0;
    await pass(1);
    expect(held).toEqual({ taken: 1 + others, done: others });
    await pass(1_000);
    expect(held).toEqual({ taken: 1 + others, done: 1 + others });
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
  });

  it("is logged when it throws, and the event is processed", async () => {
    const { receiver, lines } = leasing();
    receiver.on("*", () => {});
    const waitUntil = () => {
      throw new TypeError("Illegal invocation");
    };
    expect(await receiver.handle({ ...signed(), waitUntil })).toMatchObject({ status: 200 });
    expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("waitUntil") }]);
  });
});
