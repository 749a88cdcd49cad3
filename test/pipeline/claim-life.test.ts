import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { receiverOf } from "../../src/adapter.ts";
import type { Delivery } from "../../src/delivery.ts";
import type { DeliveryContext, Receiver, ReceiverOptions } from "../../src/index.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import {
  actsThenRejects,
  type Fault,
  type FaultyStore,
  faultyStore,
  hangs,
  rejects,
  throwsAtOnce,
} from "./faulty-store.ts";
import { accepted, anEvent, type Bench, bench, gate, signed, until, verdict } from "./receiving.ts";

const LEASE = 1_000;
const OK = { status: 200, body: '{"received":true}' };
const DUPLICATE = { status: 200, body: '{"received":true,"duplicate":true}' };
const code = (status: number, name: string) => ({ status, body: `{"error":{"code":"${name}"}}` });

/** A receiver on a store that can be broken, with the shortest lease. */
function faultyBench(options: Partial<ReceiverOptions> = {}): Bench & { store: FaultyStore } {
  const store = faultyStore();
  return { store, ...bench({ store, namespace: "life", leaseMs: LEASE, ...options }) };
}

/** One event, its delivery and the key that its claim has in the store. */
function one(): { event: ReturnType<typeof anEvent>; delivery: Delivery; key: string } {
  const event = anEvent();
  return { event, delivery: signed(event), key: `life/order.filled/${event.event_id}` };
}

/** Another process takes the event away, as after a lapsed lease. */
async function takeOver(store: FaultyStore, key: string): Promise<void> {
  await store.sound.forget?.(key);
  expect(await store.sound.claim(key, { token: "another", leaseMs: 60_000 })).toEqual({ status: "claimed" });
}

/** What a third process would find. */
function found(store: FaultyStore, key: string) {
  return store.sound.claim(key, { token: "a third", leaseMs: 1 });
}

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  // All claims of this file live in stopped time: one that a test leaves open must not reach into the next.
  stopTime();
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  await new Promise(setImmediate);
  process.off("unhandledRejection", note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Time stands still until the test advances it, for the receiver and the memory store alike. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("over HTTP", () => {
  const servers: Server[] = [];
  beforeEach(() => void vi.useRealTimers());
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function serve(
    options: Bench,
  ): Promise<{ post: (delivery: Delivery, signal?: AbortSignal) => Promise<Response>; server: Server }> {
    const server = createServer(bluumHandler(options.receiver));
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const post = ({ headers, body }: Delivery, signal?: AbortSignal) =>
      fetch(url, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body as BodyInit,
        signal: signal ?? null,
      });
    return { post, server };
  }

  it("50 deliveries of one event at once run its handler once; the others are told to come again, and later that it is done", async () => {
    const served = bench();
    const working = gate();
    const handler = vi.fn(() => working.passed);
    served.receiver.on("order.filled", handler);
    const { post } = await serve(served);
    const delivery = signed();
    const answers = Array.from({ length: 50 }, () => post(delivery));
    await until(() => served.reports.length === 49, "all but one are answered");
    working.open();
    const responses = await Promise.all(answers);
    const bodies = await Promise.all(
      responses.map(async (response) => ({ status: response.status, body: await response.text() })),
    );
    expect(bodies.filter(({ status }) => status === 200)).toEqual([OK]);
    expect(bodies.filter(({ status }) => status === 503)).toEqual(Array(49).fill(code(503, "event_in_flight")));
    expect(responses.filter(({ headers }) => headers.has("retry-after"))).toHaveLength(49);

    const again = await Promise.all(Array.from({ length: 50 }, async () => (await post(delivery)).text()));
    expect(again).toEqual(Array(50).fill(DUPLICATE.body));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("a sender that hangs up does not stop the handler, and its retry is a duplicate", async () => {
    const served = bench();
    const working = gate();
    const running = gate();
    let signal: AbortSignal | undefined;
    const handler = vi.fn((_, context: DeliveryContext) => {
      signal = context.signal;
      running.open();
      return working.passed;
    });
    served.receiver.on("order.filled", handler);
    const { post, server } = await serve(served);
    const closed = new Promise((resolve) => server.once("request", (req) => req.once("close", resolve)));
    const delivery = signed();
    const impatient = new AbortController();
    const first = post(delivery, impatient.signal).catch((error: Error) => error.name);
    await running.passed;
    impatient.abort();
    expect(await first).toBe("AbortError");
    await closed;
    expect(signal?.aborted).toBe(false);
    expect((await post(delivery)).status).toBe(503);
    working.open();
    await until(() => served.reports.some(({ outcome }) => outcome === "accepted"), "the handler's result is settled");
    expect(await (await post(delivery)).text()).toBe(DUPLICATE.body);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe("the plain course", () => {
  it("a duplicate after success is answered 200, and the handler is not run", async () => {
    const { receiver } = faultyBench();
    const handler = vi.fn();
    receiver.on("order.filled", handler);
    const { delivery } = one();
    expect(await receiver.handle(delivery)).toMatchObject(OK);
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("an event that failed runs again", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    expect(await accepted(await receiver.receive(delivery)).settle("failed", { status: 500 })).toBe("released");
    expect(await found(store, key)).toEqual({ status: "claimed" });
    await store.sound.release(key, { token: "a third" });
    expect(await accepted(await receiver.receive(delivery)).settle("processed")).toBe("stored");
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
  });

  it("the token of each attempt is its own", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    for (let n = 0; n < 3; n++) await accepted(await receiver.receive(delivery)).settle("failed");
    const tokens = store.calls.filter(({ verb }) => verb === "claim").map(({ token }) => token);
    expect(new Set(tokens).size).toBe(3);
  });
});

describe("settling", () => {
  it("counts once: twice the same, and in both orders", async () => {
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

  it("on Cloudflare Workers gives each claim a timer of its own, since no request can rely on another's", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const first = accepted(await receiver.receive(delivery));
    expect(vi.getTimerCount()).toBe(1);
    await pass(3 * LEASE);
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
    await first.settle("processed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("never, holds the event until maxProcessingMs; then the signal aborts, the report goes out and the lease lapses", async () => {
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

  it("after maxProcessingMs still counts, unless another process has the event by then", async () => {
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

describe("a handler that takes longer than", () => {
  it("the lease keeps the event: a duplicate still meets event_in_flight", async () => {
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

  it("maxProcessingMs is answered 503, its signal aborts, and its success still counts", async () => {
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

  it("maxProcessingMs and gives up makes room for the retry at once", async () => {
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

  it("maxProcessingMs and never ends holds neither a timer nor close", async () => {
    const { receiver } = faultyBench({ maxProcessingMs: 3_000 });
    receiver.on("order.filled", () => new Promise(() => {}));
    const first = receiver.handle(one().delivery);
    await pass(3_000);
    await first;
    expect(vi.getTimerCount()).toBe(0);
    await receiver.close();
  });

  it("maxProcessingMs before anybody asks for the handlers is answered 503", async () => {
    const { receiver, reports } = faultyBench({ maxProcessingMs: 3_000 });
    receiver.on("order.filled", () => {});
    const delivery = { ...one().delivery, request: {} };
    await receiver.receive(delivery);
    await pass(3_000);
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "handler_timeout"));
    expect(reports).toMatchObject([{ code: "handler_timeout" }]);
  });

  it("maxProcessingMs keeps the handlers after it from starting", async () => {
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

describe("renewal", () => {
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

  it("comes at each third of the lease", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    const at = renewals(store, (act) => act());
    await receiver.receive(one().delivery);
    await pass(60_000);
    expect(at).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  });

  it("that throws is tried again every tenth of the lease, and the claim is lost when it lapses", async () => {
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

  it("that fails for a while does no harm", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    const outcome = accepted(await receiver.receive(one().delivery));
    store.break("renew", rejects, 4);
    await pass(120_000);
    expect(outcome.context.signal.aborted).toBe(false);
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("that hangs is given up in time for another", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 6_000 });
    const outcome = accepted(await receiver.receive(one().delivery));
    store.break("renew", hangs, 1);
    await pass(120_000);
    expect(outcome.context.signal.aborted).toBe(false);
    expect(await outcome.settle("processed")).toBe("stored");
  });

  it("counts from when it was sent, not from when its answer came", async () => {
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

  it("in flight while the event is settled changes nothing", async () => {
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

  it("ends with the claim, also when whoever hears of the loss settles at once", async () => {
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
  it("aborts the signal, and settling does not disturb the new holder", async () => {
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

  it("has an aborted signal for whoever asks only then", async () => {
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    const { context } = accepted(await receiver.receive(delivery));
    await takeOver(store, key);
    await pass(LEASE);
    expect(context.signal.aborted).toBe(true);
    expect(context.signal).toBe(context.signal);
    expect(() => context.signal.throwIfAborted()).toThrow(expect.objectContaining({ code: "claim_lost" }));
  });

  it("never gets a 2xx for a handler that returns after all, and the return is reported", async () => {
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

  it("before the first renewal tells is found out when settling", async () => {
    const { receiver, store, reports } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", () => takeOver(store, key));
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    expect(reports).toMatchObject([{ code: "claim_lost", status: 503 }]);
  });

  it("is answered as a duplicate where the other has completed the event", async () => {
    const { receiver, store, reports } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", async () => {
      await takeOver(store, key);
      await store.sound.complete(key, { token: "another", retentionMs: 60_000 });
    });
    expect(await receiver.handle(delivery)).toMatchObject(DUPLICATE);
    expect(reports).toMatchObject([{ code: "claim_lost", status: 200 }]);
  });

  it("is answered event_in_flight where the handler gives up for it, without a line about a failed handler", async () => {
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

  it("is a failure like any other where the handler throws something else", async () => {
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

describe("a claim on the memory store that has lapsed", () => {
  /** Two receivers on one store whose clock is its own. */
  function sharing() {
    let now = 0;
    const store = memoryStore({ now: () => now });
    const receivers = [1, 2].map(() => bench({ store, namespace: "shared", leaseMs: 1_000 }).receiver);
    const lapse = () => {
      now += 1_001;
    };
    return { receivers: receivers as [Receiver, Receiver], lapse };
  }

  it("is stored where nobody took it", async () => {
    const { receivers, lapse } = sharing();
    const delivery = signed();
    const outcome = accepted(await receivers[0].receive(delivery));
    lapse();
    expect(await outcome.settle("processed")).toBe("stored");
    expect(verdict(await receivers[1].receive(delivery))).toBe("duplicate");
  });

  it("is another's once that has claimed the event, and stays it once that has completed it", async () => {
    for (const completed of [false, true]) {
      const { receivers, lapse } = sharing();
      const delivery = signed();
      const stale = accepted(await receivers[0].receive(delivery));
      lapse();
      const taken = accepted(await receivers[1].receive(delivery));
      if (completed) await taken.settle("processed");
      expect(await stale.settle("processed")).toBe(completed ? "completed_by_another" : "held_by_another");
      expect(await taken.settle("processed")).toBe("stored");
    }
  });

  it("leaves the next event in its place alone", async () => {
    const { receivers, lapse } = sharing();
    const stale = accepted(await receivers[0].receive(signed()));
    lapse();
    const next = signed();
    const outcome = accepted(await receivers[1].receive(next));
    expect(await stale.settle("processed")).toBe("stored");
    expect(verdict(await receivers[0].receive(next))).toBe("in_flight");
    expect(await outcome.settle("failed")).toBe("released");
    expect(verdict(await receivers[0].receive(next))).toBe("accepted");
  });
});

describe("a handler that returns after its lease could not be renewed", () => {
  it("still counts where nobody took the event: the store knows", async () => {
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

describe("a completion that the store does not take", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
    ["acts, but its reply is lost", actsThenRejects],
  ])("because it %s: the answer stays 200, and it is tried on with the claim renewed", async (_, fault) => {
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

  it("is tried with a growing pause, so that a store that comes back is not overrun", async () => {
    const { receiver, store } = faultyBench({ leaseMs: 30_000 });
    store.break("complete", rejects);
    await accepted(await receiver.receive(one().delivery)).settle("processed");
    await pass(60_000);
    expect(store.count("complete")).toBeLessThanOrEqual(10);
    expect(store.count("renew")).toBe(store.count("complete") - 1);
  });

  it("is given up after two minutes, which is logged", async () => {
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

  it("because it hangs is answered 200 after ten seconds, and tried on", async () => {
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

  it("leaves the event to whoever has taken it in the meantime", async () => {
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

describe("a release that the store does not take", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
  ])("because it %s leaves the claim to lapse, before the provider's first retry", async (_, fault) => {
    const { receiver, store, lines } = faultyBench();
    const { delivery } = one();
    store.break("release", fault);
    expect(await accepted(await receiver.receive(delivery)).settle("failed")).toBe("unstored");
    expect(lines).toMatchObject([{ message: expect.stringContaining("could not release the claim") }]);
    expect(verdict(await receiver.receive(delivery))).toBe("in_flight");
    await pass(LEASE);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it("because its reply was lost does not keep the retry away", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    store.break("release", actsThenRejects);
    expect(await accepted(await receiver.receive(delivery)).settle("failed")).toBe("unstored");
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });
});

describe("a store that fails at the claim", () => {
  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
  ])("and %s is answered 503, and the retry runs", async (_, fault) => {
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

  it("but claimed, its reply lost, is asked to release what nobody holds: the retry runs at once", async () => {
    const { receiver, store } = faultyBench();
    const { delivery } = one();
    store.break("claim", actsThenRejects, 1);
    expect(verdict(await receiver.receive(delivery))).toBe("store_unavailable");
    await until(() => store.count("release") > 0, "the ghost is released");
    expect(store.calls[1]?.token).toBe(store.calls[0]?.token);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });

  it.each<[string, Fault]>([
    ["rejects", rejects],
    ["throws at once", throwsAtOnce],
    ["hangs", hangs],
  ])("and %s at that release too does no further harm", async (_, fault) => {
    const { receiver, store } = faultyBench();
    store.break("claim", rejects);
    store.break("release", fault);
    expect(verdict(await receiver.receive(one().delivery))).toBe("store_unavailable");
    await receiver.close();
  });

  it("by never answering is answered 503 after ten seconds, and a claim that comes later is released", async () => {
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

  it("by finding, too late, that another holds the event releases nothing more", async () => {
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

  it("by leaving 1,000 claims unanswered gets no more of them, while what was accepted goes on", async () => {
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

  it("that counts the calls that its backend left unanswered is believed", async () => {
    let unanswered = 999;
    const sound = faultyStore();
    const { receiver } = bench({ store: { ...sound, unanswered: () => unanswered }, namespace: "life" });
    expect(verdict(await receiver.receive(one().delivery))).toBe("accepted");
    unanswered = 1_000;
    expect(verdict(await receiver.receive(one().delivery))).toBe("store_unavailable");
    expect(sound.calls.map(({ verb }) => verb)).toEqual(["claim"]);
  });

  it("full of live claims has failed too", async () => {
    const { receiver } = bench({ store: memoryStore({ maxEntries: 1 }) });
    await receiver.receive(signed());
    expect(verdict(await receiver.receive(signed()))).toBe("store_unavailable");
  });
});

describe("a store that fails at the claim, with onStoreError accept", () => {
  const options = { onStoreError: "accept" } as const;

  it("has the event processed and flagged, and remembered if it can be by then", async () => {
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

  it("flags nothing where the store answers", async () => {
    const { receiver } = faultyBench(options);
    expect(accepted(await receiver.receive(one().delivery)).context.deduplicated).toBe(true);
  });

  it("renews nothing and loses nothing, but its time is bounded all the same", async () => {
    const { receiver, store } = faultyBench({ ...options, maxProcessingMs: 5_000 });
    store.break("claim", rejects);
    const { context } = accepted(await receiver.receive(one().delivery));
    await pass(4_999);
    expect(store.count("renew")).toBe(0);
    expect(context.signal.aborted).toBe(false);
    await pass(1);
    expect(context.signal.reason).toMatchObject({ code: "handler_timeout" });
  });

  it("and stays down, answers 200 and goes on trying to remember the event", async () => {
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

  it("does not disturb a process that has taken the event in the meantime, and promises nothing", async () => {
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

describe("time", () => {
  /** Keeps the event loop busy, in real time. */
  function block(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  it("in which the event loop is blocked past the lease does not undo a success that nobody else touched", async () => {
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

  it("in which the event loop is blocked past the lease promises nothing where another process took the event", async () => {
    vi.useRealTimers();
    const { receiver, store } = faultyBench();
    const { delivery, key } = one();
    receiver.on("order.filled", async () => {
      block(LEASE + 50);
      // The lease has lapsed, so this needs no force.
      expect(await store.sound.claim(key, { token: "another", leaseMs: 60_000 })).toEqual({ status: "claimed" });
    });
    expect(await receiver.handle(delivery)).toMatchObject(code(503, "event_in_flight"));
    expect(await found(store, key)).toMatchObject({ status: "in_flight" });
  });

  it.each([1, -1])("by the wall clock may step %i hour: neither lease nor retention notice", async (hours) => {
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

  it("of the retention ends at last", async () => {
    const { receiver } = faultyBench({ retentionMs: 86_400_000 });
    const { delivery } = one();
    await accepted(await receiver.receive(delivery)).settle("processed");
    await pass(86_399_999);
    expect(verdict(await receiver.receive(delivery))).toBe("duplicate");
    await pass(1);
    expect(verdict(await receiver.receive(delivery))).toBe("accepted");
  });
});

describe("close", () => {
  it("refuses new deliveries with 503, duplicates and pings too", async () => {
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

  it("waits for a running handler, whose answer is as ever", async () => {
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

  it("waits for what middleware is still working on", async () => {
    const { receiver } = faultyBench();
    const outcome = accepted(await receiver.receive(one().delivery));
    const closing = watched(receiver.close());
    await pass(1_000);
    expect(closing.done).toBe(false);
    await outcome.settle("failed");
    await pass(20);
    expect(closing.done).toBe(true);
  });

  it("waits for a completion that is still being tried", async () => {
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

  it("waits for a claim that is being taken, and for the work behind it", async () => {
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

  it("refuses a delivery whose body was still on its way", async () => {
    const { receiver, store } = faultyBench();
    const arriving = gate<Uint8Array>();
    const { delivery } = one();
    const outcome = receiver.receive({ ...delivery, body: () => arriving.passed });
    await receiver.close();
    arriving.open(delivery.body as Uint8Array);
    expect(verdict(await outcome)).toBe("receiver_closed");
    expect(store.calls).toEqual([]);
  });

  it("waits no longer than thirty seconds, or as long as it is told", async () => {
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

  it("still knows a request that it had accepted before", async () => {
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

  it("that forgets the events of its own store in the midst of them lets each be settled for itself alone", async () => {
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
