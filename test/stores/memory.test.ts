import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type MemoryStoreOptions, memoryStore } from "../../src/stores/memory.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { inFull, runs } from "../exhaustive.ts";
import { manualClock } from "./clock.ts";
import { describeStoreContract } from "./contract.ts";
import { modelTest } from "./model.ts";

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 3_600_000;

function onManualClock() {
  const { now, advance } = manualClock();
  return { store: memoryStore({ now }), advance };
}

/** A store on a manual clock, and how many events it has evicted. */
function watched(options: MemoryStoreOptions) {
  const { now, advance } = manualClock();
  const onEvict = vi.fn();
  const store = memoryStore({ now, onEvict, ...options });
  return { store, advance, evicted: () => onEvict.mock.calls.length };
}

async function claim(store: DedupeStore, key: string, leaseMs = LEASE_MS): Promise<string> {
  return (await store.claim(key, { token: `token of ${key}`, leaseMs })).status;
}

async function process(store: DedupeStore, key: string, retentionMs = RETENTION_MS): Promise<void> {
  expect(await claim(store, key)).toBe("claimed");
  expect(await store.complete(key, { token: `token of ${key}`, retentionMs })).toBe("stored");
}

/** Looks at an event without a trace: a claim by a stranger, given back. */
async function look(store: DedupeStore, key: string): Promise<string> {
  const { status } = await store.claim(key, { token: "a stranger's", leaseMs: 1 });
  if (status === "claimed") await store.release(key, { token: "a stranger's" });
  return status === "claimed" ? "unknown" : status;
}

/** Which of the events the store knows of. It forgets them, for whoever looks at an unknown one by a claim makes room for it. */
async function drain(store: DedupeStore, keys: readonly string[]): Promise<string[]> {
  const known = await Promise.all(keys.map((key) => store.forget?.(key)));
  return keys.filter((_, place) => known[place]);
}

describeStoreContract("the memory store on a manual clock", onManualClock);
describeStoreContract("the memory store on its own clock", () => ({ store: memoryStore() }));

describe("the memory store against the model", () => {
  it("answers as the state machine does", inFull, () => modelTest(onManualClock, runs(100, 5_000)));

  it("answers as the state machine does on its own clock", inFull, () =>
    modelTest(() => ({ store: memoryStore() }), runs(30, 1_000)),
  );
});

describe("the memory store's bound", () => {
  it("makes room by forgetting the event that was completed first", async () => {
    const { store, evicted } = watched({ maxEntries: 3 });
    const keys = ["one", "two", "three", "four", "five"];
    for (const key of keys) await process(store, key);
    expect(evicted()).toBe(2);
    expect(await look(store, "three")).toBe("completed");
    expect(await look(store, "five")).toBe("completed");
    expect(await drain(store, keys)).toEqual(["three", "four", "five"]);
  });

  it("goes by the order of completion, not of claims", async () => {
    const { store, evicted } = watched({ maxEntries: 2 });
    await claim(store, "claimed first");
    await process(store, "completed first");
    await store.complete("claimed first", { token: "token of claimed first", retentionMs: RETENTION_MS });
    await claim(store, "another");
    expect(evicted()).toBe(1);
    expect(await drain(store, ["claimed first", "completed first"])).toEqual(["claimed first"]);
  });

  it("goes by the order of completion, not of retention", async () => {
    const { store, evicted } = watched({ maxEntries: 2 });
    await process(store, "kept long", RETENTION_MS);
    await process(store, "kept a day", 24 * 3_600_000);
    await claim(store, "another");
    expect(evicted()).toBe(1);
    expect(await drain(store, ["kept long", "kept a day"])).toEqual(["kept a day"]);
  });

  it("skips forgotten events in that order, at either end or in the middle", async () => {
    const { store, evicted } = watched({ maxEntries: 5 });
    for (const key of ["one", "two", "three", "four", "five"]) await process(store, key);
    for (const key of ["one", "three", "five"]) expect(await store.forget?.(key)).toBe(true);
    for (const key of ["six", "seven", "eight", "nine"]) await process(store, key);
    expect(evicted()).toBe(1);
    for (const key of ["ten", "eleven"]) await process(store, key);
    expect(evicted()).toBe(3);
    expect(await drain(store, ["two", "four", "six", "seven", "eight"])).toEqual(["seven", "eight"]);
  });

  it("drops expired records first, wherever they are", async () => {
    const { store, advance, evicted } = watched({ maxEntries: 3 });
    await process(store, "kept long", RETENTION_MS);
    await process(store, "kept a second", 1_000);
    await claim(store, "expiring", 1_000);
    advance(1_001);
    await claim(store, "new");
    await claim(store, "newer");
    expect(evicted()).toBe(0);
    expect(await look(store, "kept long")).toBe("completed");
  });

  it.each([
    ["claims", claim],
    ["completions", process],
  ])("drops %s that have ended a few at a time, so that no claim pays for a burst", async (_, begin) => {
    const { store, advance } = watched({});
    for (let number = 0; number < 1_000; number += 1) await begin(store, `old ${number}`, LEASE_MS);
    advance(LEASE_MS);
    const drop = vi.spyOn(Map.prototype, "delete");
    const dropped = () => drop.mock.calls.filter(([key]) => String(key).startsWith("old ")).length;
    await claim(store, "new");
    expect(dropped()).toBeGreaterThan(1);
    expect(dropped()).toBeLessThan(10);
    for (let number = 0; number < 1_000; number += 1) await claim(store, `new ${number}`);
    expect(dropped()).toBe(1_000);
    drop.mockRestore();
  });

  it("counts the renewed lease, not the first one", async () => {
    const { store, advance } = watched({ maxEntries: 2 });
    await claim(store, "renewed");
    await claim(store, "left alone");
    advance(LEASE_MS - 1);
    expect(await store.renew("renewed", { token: "token of renewed", leaseMs: LEASE_MS })).toBe(true);
    advance(1);
    expect(await claim(store, "new")).toBe("claimed");
    expect(await look(store, "renewed")).toBe("in_flight");
  });

  it("never evicts a live claim: while live claims alone fill it, new claims fail", async () => {
    const { store, advance, evicted } = watched({ maxEntries: 2 });
    await claim(store, "one");
    await claim(store, "two");
    await expect(claim(store, "three")).rejects.toMatchObject({ name: "WebhookError", code: "store_unavailable" });
    expect(await claim(store, "one")).toBe("claimed");
    expect(await look(store, "two")).toBe("in_flight");
    expect(evicted()).toBe(0);
    advance(LEASE_MS);
    expect(await claim(store, "three")).toBe("claimed");
  });

  it("stores a completion even when live claims alone fill it, one above the bound and no more", async () => {
    const { store, evicted } = watched({ maxEntries: 2 });
    await claim(store, "one");
    await claim(store, "two");
    for (const key of ["expired", "expired too"]) {
      expect(await store.complete(key, { token: "late", retentionMs: RETENTION_MS })).toBe("stored");
    }
    expect(evicted()).toBe(1);
    expect(await claim(store, "expired too")).toBe("completed");
    await expect(claim(store, "three")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(evicted()).toBe(1);
    expect(await drain(store, ["one", "two", "expired", "expired too"])).toEqual(["one", "two", "expired too"]);
  });

  it("returns to its bound as soon as it can", async () => {
    const { store, evicted } = watched({ maxEntries: 2 });
    await claim(store, "one");
    await claim(store, "two");
    for (const key of ["over", "one"])
      await store.complete(key, { token: `token of ${key}`, retentionMs: RETENTION_MS });
    await claim(store, "three");
    expect(evicted()).toBe(2);
    expect(await drain(store, ["one", "two", "three", "over"])).toEqual(["two", "three"]);
  });

  it("completes its own claim without evicting anything", async () => {
    const { store, evicted } = watched({ maxEntries: 1 });
    await process(store, "only");
    expect(evicted()).toBe(0);
    expect(await look(store, "only")).toBe("completed");
  });

  it("loses no live claim and no more completions than it must", async () => {
    const step = fc.tuple(fc.constantFrom("claim", "complete", "release", "forget"), fc.constantFrom(..."abcdefg"));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { store, evicted } = watched({ maxEntries: 3 });
        const expected = boundedModel(3);
        for (const [verb, key] of steps) {
          expect(await ask(store, verb, key)).toBe(expected.ask(verb, key));
          expect(evicted()).toBe(expected.evicted());
        }
        expect(await drain(store, [..."abcdefg"])).toEqual(expected.known());
      }),
    );
  });
});

type BoundedVerb = "claim" | "complete" | "release" | "forget";

async function ask(store: DedupeStore, verb: BoundedVerb, key: string): Promise<unknown> {
  const by = { token: `token of ${key}`, leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
  if (verb === "claim") return claim(store, key).catch((error) => error.code);
  return verb === "forget" ? store.forget?.(key) : store[verb](key, by);
}

/** What a bounded store does in which nothing ever ends and every event has one token only. */
function boundedModel(maxEntries: number) {
  const live = new Set<string>();
  const done = new Set<string>();
  let evicted = 0;
  function makeRoom() {
    for (const oldest of done) {
      if (live.size + done.size < maxEntries) return;
      done.delete(oldest);
      evicted += 1;
    }
  }
  const verbs = {
    claim(key: string) {
      if (done.has(key)) return "completed";
      if (live.has(key)) return "claimed";
      if (live.size >= maxEntries) return "store_unavailable";
      makeRoom();
      live.add(key);
      return "claimed";
    },
    complete(key: string) {
      if (!live.delete(key) && !done.has(key)) makeRoom();
      done.add(key);
      return "stored";
    },
    release: (key: string) => live.delete(key),
    forget: (key: string) => live.delete(key) || done.delete(key),
  };
  return {
    ask: (verb: BoundedVerb, key: string) => verbs[verb](key),
    evicted: () => evicted,
    known: () => [...live, ...done].sort(),
  };
}

describe("what the memory store reports", () => {
  afterEach(() => vi.restoreAllMocks());

  it("warns on the console at most once a minute, and never with a key", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { now, advance } = manualClock();
    const store = memoryStore({ maxEntries: 1, now });
    for (const key of ["secret-one", "secret-two", "secret-three"]) await process(store, key);
    expect(warn).toHaveBeenCalledTimes(1);
    advance(59_999);
    await process(store, "secret-four");
    expect(warn).toHaveBeenCalledTimes(1);
    advance(1);
    await process(store, "secret-five");
    expect(warn).toHaveBeenCalledTimes(2);
    expect(warn.mock.calls[0]?.[0]).toContain("maxEntries 1");
    expect(warn.mock.calls[1]?.[0]).toContain("3 since the last warning");
    expect(JSON.stringify(warn.mock.calls)).not.toContain("secret-");
  });

  it("leaves the console alone if onEvict listens", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { store, evicted } = watched({ maxEntries: 1 });
    for (const key of ["one", "two"]) await process(store, key);
    expect(evicted()).toBe(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it("keeps the listener's error from the claim that needed the room", async () => {
    const onEvict = () => {
      throw new Error("the listener's own");
    };
    const { store } = watched({ maxEntries: 1, onEvict });
    await process(store, "one");
    expect(await claim(store, "two")).toBe("claimed");
  });
});

describe("the memory store's time", () => {
  afterEach(() => vi.useRealTimers());

  it("starts no timer", async () => {
    vi.useFakeTimers();
    const store = memoryStore({ maxEntries: 1, onEvict: () => {} });
    for (const key of ["one", "two"]) await process(store, key);
    await claim(store, "three");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps a lease when the wall clock steps", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const store = memoryStore();
    await claim(store, "event");
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await look(store, "event")).toBe("in_flight");
    vi.setSystemTime(Date.now() - 7_200_000);
    expect(await look(store, "event")).toBe("in_flight");
  });

  it("keeps a claim until the exact end of its lease", async () => {
    const { store, advance } = watched({});
    await claim(store, "event");
    advance(LEASE_MS - 1);
    const stranger = { token: "a stranger's", leaseMs: LEASE_MS };
    expect(await store.claim("event", stranger)).toEqual({ status: "in_flight", remainingMs: 1 });
    advance(1);
    expect(await store.renew("event", { token: "token of event", leaseMs: LEASE_MS })).toBe(false);
    expect(await store.claim("event", stranger)).toEqual({ status: "claimed" });
  });

  it("never reports more time left than the lease, even with fractions of a millisecond", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3_000_000, max: 30_000_000 }), async (nowUs) => {
        const store = memoryStore({ now: () => nowUs / 1_000 });
        await store.claim("event", { token: "holder's", leaseMs: LEASE_MS });
        const found = await store.claim("event", { token: "a stranger's", leaseMs: LEASE_MS });
        expect(found).toEqual({ status: "in_flight", remainingMs: LEASE_MS });
      }),
    );
  });

  it("keeps each completion for its own retention", async () => {
    const { store, advance } = watched({});
    await process(store, "two days", 48 * 3_600_000);
    await process(store, "one day", 24 * 3_600_000);
    advance(24 * 3_600_000);
    expect(await look(store, "one day")).toBe("unknown");
    expect(await look(store, "two days")).toBe("completed");
    advance(24 * 3_600_000);
    expect(await look(store, "two days")).toBe("unknown");
  });

  it("counts the retention from the first completion, not from its repetition", async () => {
    const { store, advance } = watched({});
    await process(store, "event", 1_000);
    advance(600);
    await store.complete("event", { token: "token of event", retentionMs: 1_000 });
    advance(400);
    expect(await look(store, "event")).toBe("unknown");
  });
});

describe("making a memory store", () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "10"])("refuses maxEntries %s", (maxEntries) => {
    const make = () => memoryStore({ maxEntries: maxEntries as number });
    expect(make).toThrow(expect.objectContaining({ name: "WebhookError", code: "configuration_invalid" }));
    expect(make).toThrow(/maxEntries/);
  });

  it("holds 100,000 events by default", async () => {
    const { store, evicted } = watched({});
    for (let number = 0; number <= 100_000; number += 1) {
      await store.complete(`event ${number}`, { token: "token", retentionMs: RETENTION_MS });
    }
    expect(evicted()).toBe(1);
    expect(await drain(store, ["event 0", "event 1", "event 100000"])).toEqual(["event 1", "event 100000"]);
  });

  it("accepts any text as a token, and tells tokens apart", async () => {
    const { store } = watched({});
    for (const token of ["", "0", "é", "\ud800", "a".repeat(10_000)]) {
      await store.claim(`held by ${token}`, { token, leaseMs: LEASE_MS });
      expect(await store.renew(`held by ${token}`, { token: `${token} `, leaseMs: LEASE_MS })).toBe(false);
      expect(await store.renew(`held by ${token}`, { token, leaseMs: LEASE_MS })).toBe(true);
    }
  });

  it("uses a clock that a test fakes later, and the real one afterwards", async () => {
    const store = memoryStore();
    vi.useFakeTimers();
    try {
      expect(await claim(store, "event")).toBe("claimed");
      vi.advanceTimersByTime(LEASE_MS + 1);
      expect(await store.claim("event", { token: "a stranger's", leaseMs: LEASE_MS })).toEqual({ status: "claimed" });
    } finally {
      vi.useRealTimers();
    }
    await store.claim("another", { token: "token", leaseMs: 1 });
    await expect.poll(() => store.renew("another", { token: "token", leaseMs: 1 })).toBe(false);
  });

  it("forgets everything when closed", async () => {
    const { store } = watched({ maxEntries: 2 });
    await claim(store, "live");
    await process(store, "done");
    await store.close?.();
    expect(await look(store, "live")).toBe("unknown");
    expect(await look(store, "done")).toBe("unknown");
    expect(await claim(store, "one")).toBe("claimed");
    expect(await claim(store, "two")).toBe("claimed");
  });

  it("declares that other processes do not share it", () => {
    expect(memoryStore().shared).toBe(false);
  });
});
