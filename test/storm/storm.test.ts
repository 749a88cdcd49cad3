import { describe, expect, it } from "vitest";
import { exhaustive, inFull } from "../exhaustive.ts";
import { canOpen } from "./backends.ts";
import { backendOf, CI_SIZE, drawPlan, isInbox, MODES, type PlanOptions, STORES } from "./plan.ts";
import { reportOf } from "./report.ts";
import { runStorm } from "./storm.ts";

const PLAN: PlanOptions = {
  store: "postgres",
  seed: 7,
  events: 2_000,
  faults: 200,
  receivers: 4,
  leaseMs: 1_000,
  spanMs: 44_000,
};

describe("the plan of a storm", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(drawPlan(PLAN)).toEqual(drawPlan(PLAN));
    expect(drawPlan({ ...PLAN, seed: 8 }).digest).not.toBe(drawPlan(PLAN).digest);
  });

  it.each(MODES)("has as many faults as with --ci, of every kind that %s can have", (store) => {
    const { events, timed } = drawPlan({ ...PLAN, ...CI_SIZE, store });
    const acts = [...events.flatMap(({ faults }) => faults), ...timed].map(({ act }) => act);
    expect(acts).toHaveLength(CI_SIZE.faults);
    const ofStore = backendOf(store) === "sqlite" ? ["lock", "return"] : ["cut", "restart", "hang"];
    if (isInbox(store)) ofStore.push("park");
    expect(acts).toEqual(
      expect.arrayContaining(["kill", "stop", "throw", "slow", "freeze", "freeze and throw", ...ofStore]),
    );
  });
});

// The other inboxes have their storm in `npm run storm`.
describe.concurrent.each([...STORES, "inbox-sqlite" as const])("a storm over %s", (store) => {
  it("loses nothing, completes nothing twice, and leaves no doubled effect without a reason", {
    timeout: 150_000,
  }, async ({ skip }) => {
    if (!(await canOpen(store))) skip();
    const result = await runStorm({ store, seed: 3, events: 60, faults: 10, spanMs: 1_500 });
    expect(result.broken, reportOf([result])).toEqual([]);
    expect(result.effects + result.effectsInTransaction).toBeGreaterThanOrEqual(60);
    expect(result.eventsInTransaction).toBe(result.effectsInTransaction);
  });
});

describe.runIf(exhaustive)("a broken store", inFull, () => {
  // Faults that show the flaw, and no others that could explain its effects.
  const flaws = [
    { flaw: "check-then-set", shares: { throw: 1 } },
    { flaw: "unfenced", shares: { "freeze and throw": 3, freeze: 1, stop: 1 } },
  ] as const;

  const storm = { store: "redis", seed: 3, events: 150, faults: 15, spanMs: 3_000 } as const;

  it.for(flaws)("is detected: $flaw", { timeout: 90_000 }, async ({ flaw, shares }, { skip }) => {
    if (!(await canOpen("redis"))) skip();
    const result = await runStorm({ ...storm, flaw, shares });
    expect(result.verdict.unexplained.length, reportOf([result])).toBeGreaterThan(0);
    expect(result.broken).not.toEqual([]);
    // With check-then-set two deliveries get the claim, but only one of them can complete.
    if (flaw === "unfenced") expect(result.verdict.completedTwice.length, reportOf([result])).toBeGreaterThan(0);
  });

  it("is the cause: a sound store passes under the same faults", { timeout: 90_000 }, async ({ skip }) => {
    if (!(await canOpen("redis"))) skip();
    const result = await runStorm({ ...storm, shares: flaws[1].shares });
    expect(result.broken, reportOf([result])).toEqual([]);
  });
});

describe.runIf(exhaustive)("a broken inbox", inFull, () => {
  const store = "inbox-sqlite";
  // Faults that show the flaw. A fault of a handler is only forgotten, never explained.
  const flaws = [
    { flaw: "ack-before-store", shares: { killed: 1 } },
    { flaw: "forgets-attempts", shares: { throw: 1 } },
  ] as const;

  it.for(flaws)("is detected: $flaw", { timeout: 150_000 }, async ({ flaw, shares }, { skip }) => {
    if (!(await canOpen(store))) skip();
    const result = await runStorm({ store, flaw, shares, seed: 3, events: 150, faults: 15, spanMs: 3_000 });
    expect(result.verdict.lostAfter2xx.length, reportOf([result])).toBeGreaterThan(0);
    expect(result.broken).not.toEqual([]);
  });

  it.for(flaws)(
    "is the cause: a sound one passes under the faults of $flaw",
    {
      timeout: 150_000,
    },
    async ({ shares }, { skip }) => {
      if (!(await canOpen(store))) skip();
      const result = await runStorm({ store, shares, seed: 3, events: 150, faults: 15, spanMs: 3_000 });
      expect(result.broken, reportOf([result])).toEqual([]);
    },
  );
});
