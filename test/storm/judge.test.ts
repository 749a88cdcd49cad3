import { describe, expect, it } from "vitest";
import type { Effect, Evidence, Trouble } from "./evidence.ts";
import { type Case, judge } from "./judge.ts";
import type { PlannedEvent } from "./plan.ts";
import type { Attempt } from "./provider.ts";

const EVENT: PlannedEvent = {
  id: "evt_1",
  type: "order.filled",
  exactlyOnce: false,
  body: "{}",
  sentAtMs: [0],
  faults: [],
};

/** Receiver A takes the event at 1000, its effect is at 1100; receiver B takes it at 3000, its effect is at 3100. */
const FIRST = effect({ receiver: "A", delivery: "d1", receivedAt: 990, startedAt: 1_000, happenedAt: 1_100 });
const SECOND = effect({ receiver: "B", delivery: "d2", receivedAt: 2_990, startedAt: 3_000, happenedAt: 3_100 });

const ACKNOWLEDGED = attempt({ delivery: "d2", answeredAt: 3_200 });

function effect(parts: Omit<Effect, "eventId">): Effect {
  return { eventId: EVENT.id, ...parts };
}

function attempt(parts: { delivery: string; answeredAt: number }): Attempt {
  return { eventId: EVENT.id, sentAt: 0, answer: "processed", acknowledged: true, ...parts };
}

function facts({
  evidence = {},
  ...others
}: Partial<Omit<Case, "evidence">> & { evidence?: Partial<Evidence> } = {}): Case {
  return {
    events: [EVENT],
    attempts: [ACKNOWLEDGED],
    evidence: { effects: [FIRST, SECOND], stored: [], troubles: [], still: [], struck: new Set(), ...evidence },
    rows: [],
    kills: new Map(),
    stops: [],
    outages: [],
    oneWriter: false,
    leaseMs: 1_000,
    ...others,
  };
}

const stored = (delivery: string, at: number) => ({ eventId: EVENT.id, delivery, token: `of ${delivery}`, at });
const trouble = (kind: Trouble["kind"], from: number, to: number): Trouble => ({
  who: "A",
  kind,
  verb: "complete",
  eventId: EVENT.id,
  from,
  to,
});

describe("judging a storm", () => {
  it("finds an event lost that has no effect", () => {
    expect(judge(facts({ evidence: { effects: [] } })).lost).toEqual(["evt_1"]);
    expect(judge(facts()).lost).toEqual([]);
  });

  it("finds a 2xx that was sent before the effect", () => {
    expect(judge(facts({ attempts: [attempt({ delivery: "d1", answeredAt: 1_050 })] })).promisedEarly).toEqual([
      "evt_1",
    ]);
    expect(judge(facts({ attempts: [attempt({ delivery: "d1", answeredAt: 1_150 })] })).promisedEarly).toEqual([]);
  });

  it("finds an event that was completed for two deliveries, not a repeated reply", () => {
    expect(judge(facts({ evidence: { stored: [stored("d1", 1_200), stored("d2", 3_150)] } })).completedTwice).toEqual([
      "evt_1",
    ]);
    expect(judge(facts({ evidence: { stored: [stored("d1", 1_200), stored("d1", 1_300)] } })).completedTwice).toEqual(
      [],
    );
  });

  it("finds a doubled effect unexplained without a fault", () => {
    expect(judge(facts()).unexplained).toHaveLength(1);
  });

  it("counts only rows for an event with completeIn", () => {
    const events = [{ ...EVENT, exactlyOnce: true }];
    const row = { eventId: EVENT.id, receiver: "A", happenedAt: 1_100 };
    expect(judge(facts({ events, evidence: { effects: [] } })).lost).toEqual(["evt_1"]);
    expect(judge(facts({ events, rows: [row], evidence: { effects: [] } }))).toMatchObject({
      lost: [],
      doubledInTransaction: [],
    });
    expect(judge(facts({ events, rows: [row, row], evidence: { effects: [] } })).doubledInTransaction).toEqual([
      "evt_1",
    ]);
  });
});

describe("judging a storm over an inbox", () => {
  const acknowledgedAt = (answeredAt: number) => ({ attempts: [attempt({ delivery: "d1", answeredAt })] });

  it("finds an event lost whose only effect came after everything was sent once more", () => {
    const verdict = judge(facts({ ...acknowledgedAt(900), replayedAt: 1_050, evidence: { effects: [FIRST] } }));
    expect(verdict).toMatchObject({ lost: ["evt_1"], lostAfter2xx: ["evt_1"] });
    expect(judge(facts({ replayedAt: 1_150, evidence: { effects: [FIRST] } })).lost).toEqual([]);
  });

  it("tells whether a lost event was answered 2xx", () => {
    const lost = { replayedAt: 1_050, evidence: { effects: [] } };
    expect(judge(facts({ ...acknowledgedAt(1_100), ...lost }))).toMatchObject({ lost: ["evt_1"], lostAfter2xx: [] });
  });

  it("allows a 2xx before the effect", () => {
    const verdict = judge(facts({ ...acknowledgedAt(900), replayedAt: 9_000, evidence: { effects: [FIRST] } }));
    expect(verdict).toMatchObject({ lost: [], promisedEarly: [] });
  });

  it("explains no effect that was doubled after everything was sent once more", () => {
    const kills = new Map([["A", 1_500]]);
    expect(judge(facts({ kills, replayedAt: 4_000 })).unexplained).toEqual([]);
    expect(judge(facts({ kills, replayedAt: 2_000 })).unexplained).toHaveLength(1);
  });
});

describe("a doubled effect", () => {
  const reasons = (given: Parameters<typeof facts>[0]) =>
    Object.entries(judge(facts(given)).explained).flatMap(([reason, count]) => (count > 0 ? [reason] : []));

  it("is explained by a kill between the first effect and the second start", () => {
    expect(reasons({ kills: new Map([["A", 1_500]]) })).toEqual(["kill"]);
    expect(reasons({ kills: new Map([["A", 1_050]]) })).toEqual([]);
    expect(reasons({ kills: new Map([["A", 3_500]]) })).toEqual([]);
    expect(reasons({ kills: new Map([["B", 1_500]]) })).toEqual([]);
  });

  it("is not explained by a kill after a 2xx", () => {
    const attempts = [attempt({ delivery: "d1", answeredAt: 1_200 }), ACKNOWLEDGED];
    expect(reasons({ attempts, kills: new Map([["A", 1_500]]) })).toEqual([]);
  });

  it("is explained by a stop of the first process that outlasts its lease", () => {
    expect(reasons({ stops: [{ who: "A", from: 1_050, to: 2_900 }] })).toEqual(["stop"]);
    expect(reasons({ stops: [{ who: "B", from: 1_050, to: 2_900 }] })).toEqual([]);
    expect(reasons({ stops: [{ who: "A", from: 1_050, to: 1_300 }] })).toEqual([]);
    expect(reasons({ evidence: { still: [{ who: "A", from: 1_050, to: 2_900 }] } })).toEqual(["starved"]);
  });

  it("is explained by an outage only if calls of the first process failed", () => {
    const outages = [{ who: "restart", from: 1_050, to: 2_000 }];
    expect(reasons({ outages })).toEqual([]);
    expect(reasons({ outages, evidence: { troubles: [trouble("failed", 1_120, 1_130)] } })).toEqual(["store"]);
    expect(reasons({ evidence: { troubles: [trouble("failed", 1_120, 1_130)] } })).toEqual([]);
  });

  it("is explained by another process that stopped with SQLite's lock", () => {
    const evidence = { still: [{ who: "C", from: 1_050, to: 2_900 }], troubles: [trouble("failed", 1_120, 1_130)] };
    expect(reasons({ evidence, oneWriter: true })).toEqual(["store"]);
    expect(reasons({ evidence })).toEqual([]);
  });

  it("is not explained after the store had stored the completion", () => {
    const still = [{ who: "A", from: 1_050, to: 2_900 }];
    expect(reasons({ evidence: { still, stored: [stored("d1", 2_950)] } })).toEqual([]);
    expect(reasons({ evidence: { still, stored: [stored("d1", 2_995)] } })).toEqual(["starved"]);
  });
});
