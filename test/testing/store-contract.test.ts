import { describe, expect, it, vi } from "vitest";
import { memoryStore } from "../../src/stores/memory.ts";
import { dedupeStoreContract, type StoreUnderTest } from "../../src/testing/store-contract.ts";
import { broken, brokenStores } from "./broken-stores.ts";

/** Names of the cases that a store fails. */
async function failures(create: () => StoreUnderTest): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of dedupeStoreContract(create)) await run().catch(() => failed.push(name));
  return failed;
}

describe("the store contract suite", () => {
  it("passes a plain store that keeps the contract", async () => {
    expect(await failures(() => broken(() => ({})))).toEqual([]);
  });

  it.each(brokenStores)("finds a store that %s", async (_what, breakIt, foundBy) => {
    expect(await failures(() => broken(breakIt))).toEqual(expect.arrayContaining([...foundBy]));
  });

  it("has no case that no broken store fails", () => {
    const named = new Set(brokenStores.flatMap(([, , foundBy]) => foundBy));
    const unproven = dedupeStoreContract(() => broken(() => ({}))).filter(({ name }) => !named.has(name));
    expect(unproven.map(({ name }) => name)).toEqual([]);
  });

  it("finds a store that is atomic within one process only", async () => {
    const failed = await failures(() => {
      const one = broken(() => ({}));
      return { ...one, peer: broken(() => ({})).store };
    });
    expect(failed).toContain("of 50 who claim a fresh event at once one gets it, 200 times");
  });

  it("passes a store that cannot forget", async () => {
    const failed = await failures(() => {
      const { store, ...rest } = broken(() => ({}));
      const { forget, ...unforgetting } = store;
      return { ...rest, store: unforgetting };
    });
    expect(failed).toEqual([]);
  });
});

describe("the store contract suite on a slow machine", () => {
  const runCase = async (name: string, create: () => StoreUnderTest) => {
    const found = dedupeStoreContract(create).find((one) => one.name === name);
    if (found === undefined) throw new Error(`no case is named ${name}`);
    return found.run();
  };

  it("waits for a store whose clock lags behind", async () => {
    const sound = memoryStore();
    const lagMs = (leaseMs: number) => (leaseMs < 1_000 ? 400 : 0);
    const claim: typeof sound.claim = (key, by) => sound.claim(key, { ...by, leaseMs: by.leaseMs + lagMs(by.leaseMs) });
    const lagging = { store: { ...sound, claim } };
    await expect(runCase("an expired claim can be taken by another", () => lagging)).resolves.toBeUndefined();
  });

  it("tries a longer term where a renewal came too late for a shorter one", async () => {
    const sound = memoryStore();
    let slowOnce = true;
    const renew: typeof sound.renew = async (key, by) => {
      if (slowOnce) await new Promise((resolve) => setTimeout(resolve, 400));
      slowOnce = false;
      return sound.renew(key, by);
    };
    await runCase("a renewed claim outlives its first term", () => ({ store: { ...sound, renew } }));
    expect(slowOnce).toBe(false);
  });

  it("says so where no renewal came in time", async () => {
    const slow = () =>
      broken((sound) => ({
        async renew(key, by) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          await sound.release(key, by);
          return false;
        },
      }));
    await expect(runCase("a renewed claim outlives its first term", slow)).rejects.toThrow("no renewal came in time");
  });
});

describe("a case of the store contract", () => {
  const sound = () => broken(() => ({}));
  const alwaysGranting = () => broken(() => ({ claim: async () => ({ status: "claimed" }) }));
  const first = (create: () => StoreUnderTest | Promise<StoreUnderTest>) => {
    const [found] = dedupeStoreContract(create);
    if (found === undefined) throw new Error("the suite is empty");
    return found;
  };

  it("has a name of its own and a time limit", () => {
    const cases = dedupeStoreContract(sound);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { timeoutMs } of cases) expect(timeoutMs).toBeGreaterThanOrEqual(60_000);
  });

  it("makes a store for itself, and disposes of it once", async () => {
    const dispose = vi.fn();
    const create = vi.fn(async () => ({ ...sound(), dispose }));
    await first(create).run();
    expect(create).toHaveBeenCalledTimes(1);
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  it("disposes of the store after a failure too, and tells what was expected and what came", async () => {
    const dispose = vi.fn();
    await expect(first(() => ({ ...alwaysGranting(), dispose })).run()).rejects.toThrow(
      'the second claim: expected "in_flight", got "claimed"',
    );
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  it("reports the failed statement rather than a failed clean-up", async () => {
    const dispose = () => {
      throw new Error("cannot clean up");
    };
    await expect(first(() => ({ ...alwaysGranting(), dispose })).run()).rejects.toThrow("the second claim");
    await expect(first(() => ({ ...sound(), dispose })).run()).rejects.toThrow("cannot clean up");
  });

  it("fails with the store's own error where a verb rejects", async () => {
    const down = () => broken(() => ({ claim: () => Promise.reject(new Error("the backend is down")) }));
    await expect(first(down).run()).rejects.toThrow("the backend is down");
  });

  it("may be run again", async () => {
    const again = first(sound);
    await again.run();
    await expect(again.run()).resolves.toBeUndefined();
  });
});
