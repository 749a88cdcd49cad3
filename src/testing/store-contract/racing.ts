import type { ClaimResult } from "../../stores/store.ts";
import { count, holds, same } from "../same.ts";
import { type Contender, LONG_MS, type Statements } from "./trial.ts";

const CROWD = 50;
const FRESH_EVENTS = 200;
const ROUNDS = 20;

/** What holds when many tokens act at once. */
export const racing: Statements = {
  "of 50 who claim a fresh event at once one gets it, 200 times": async (trial) => {
    for (let round = 0; round < FRESH_EVENTS; round += 1) {
      const found = await Promise.all(trial.crowd(CROWD).map((contender) => contender.claim()));
      same("contenders who got the event", statuses(found, "claimed"), 1);
      same("contenders who found it in flight", statuses(found, "in_flight"), CROWD - 1);
      const valid = found.every(
        (one) => one.status !== "in_flight" || (one.remainingMs > 0 && one.remainingMs <= LONG_MS),
      );
      holds("each learned how long the lease still runs", valid);
    }
  },

  "a claim sent many times at once by one token is claimed each time": async (trial) => {
    const [holder, other] = trial.rivals();
    const found = await Promise.all(Array.from({ length: CROWD }, () => holder.claim()));
    same("claims that were granted", statuses(found, "claimed"), CROWD);
    same("another's claim afterwards", (await other.claim()).status, "in_flight");
  },

  "of 50 who take an expired claim at once one gets it": async (trial) => {
    const key = trial.key();
    await trial.expire(trial.contender(key));
    const found = await trial.until(
      () => Promise.all(trial.crowd(CROWD, key).map((contender) => contender.claim())),
      (results) => statuses(results, "claimed") > 0,
    );
    same("contenders who got the event", statuses(found, "claimed"), 1);
    same("contenders who found it in flight", statuses(found, "in_flight"), CROWD - 1);
  },

  "of many completions of an expired claim at once one is stored": async (trial) => {
    const key = trial.key();
    const crowd = trial.crowd(CROWD, key);
    await trial.expire(crowd[0] as Contender);
    const results = await Promise.all(crowd.map((contender) => contender.complete()));
    same("completions that were stored", count(results, "stored"), 1);
    same("completions that found another's", count(results, "completed_by_another"), CROWD - 1);
  },

  "a completion sent many times at once by one token is stored each time": async (trial) => {
    const [holder] = trial.rivals();
    await holder.claim();
    const results = await Promise.all(Array.from({ length: CROWD }, () => holder.complete()));
    same("completions that were stored", count(results, "stored"), CROWD);
  },

  "no other token gets an event while its holder completes it": async (trial) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [holder, ...others] = trial.crowd(CROWD) as [Contender, ...Contender[]];
      await holder.claim();
      const [first, second] = halves(others);
      const [before, completion, after] = await Promise.all([claimAll(first), holder.complete(), claimAll(second)]);
      same("the holder's completion", completion, "stored");
      same("others who got the event", statuses([...before, ...after], "claimed"), 0);
    }
  },

  "at most one gets an event while its holder releases it": async (trial) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [holder, ...others] = trial.crowd(CROWD) as [Contender, ...Contender[]];
      await holder.claim();
      const [first, second] = halves(others);
      const [before, released, after] = await Promise.all([claimAll(first), holder.release(), claimAll(second)]);
      same("the holder's release", released, true);
      holds("at most one other got the event", statuses([...before, ...after], "claimed") <= 1);
    }
  },

  "of a late completion and a take-over at once one counts, and both learn which": async (trial) => {
    const events = Array.from({ length: ROUNDS }, () => trial.rivals());
    await Promise.all(events.map(([late]) => late.claim(1)));
    await trial.elapse(1);
    await Promise.all(
      events.map(async ([late, taker], place) => {
        const both = place % 2 === 0 ? [late.complete(), taker.claim()] : [taker.claim(), late.complete()];
        const answers = (await Promise.all(both)).map((one) => (typeof one === "string" ? one : one.status));
        const outcome = answers.sort().join(" and ");
        holds(`one of the two counts (${outcome})`, CONSISTENT.has(outcome));
      }),
    );
  },

  "an event completed and released at once by its holder stays completed": async (trial) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [holder, other] = trial.rivals();
      await holder.claim();
      const [, completion] = await Promise.all([holder.release(), holder.complete()]);
      same("the completion", completion, "stored");
      same("another's claim afterwards", (await other.claim()).status, "completed");
    }
  },
};

/** The completion counts, or the take-over does. A claim that meets a half-written completion may find the event in flight. */
const CONSISTENT = new Set(["completed and stored", "in_flight and stored", "claimed and held_by_another"]);

function claimAll(contenders: readonly Contender[]): Promise<ClaimResult[]> {
  return Promise.all(contenders.map((contender) => contender.claim()));
}

function statuses(results: readonly ClaimResult[], status: ClaimResult["status"]): number {
  return results.filter((result) => result.status === status).length;
}

function halves<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.floor(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
