import { ParkEvent } from "../../inbox/failure.ts";
import type { InboxMessage } from "../../inbox/message.ts";
import { holds, same } from "../same.ts";
import type { InboxStatements, InboxTrial, Run } from "./trial.ts";

const KEYS = 20;
const OF_EACH_KEY = 4;

/** The order of messages with the same ordering key. An inbox that keeps none passes, if it says so. */
export const ordering: InboxStatements = {
  "an inbox says why it keeps no order, or keeps it": async ({ inbox, keeps }) => {
    if (keeps.order) same("noOrder", inbox.noOrder ?? "missing", "missing");
    else holds("noOrder says why there is no order", typeof inbox.noOrder === "string" && inbox.noOrder !== "");
  },

  "where order is kept, a message that fails twice holds its ordering key, and no other": async (trial) => {
    if (!trial.keeps.order) return;
    const [a, b, c] = trial.messages(3, { orderingKey: "account 1" }) as [InboxMessage, InboxMessage, InboxMessage];
    const [other, otherRan] = [trial.message({ orderingKey: "account 2" }), trial.gate()];
    await trial.addAll([a, b, c, other]);
    const behaviour = async (_: unknown, { number }: { number: number }, { key }: Run) => {
      if (key === other.key) otherRan.open();
      // Its last attempt ends only once the message of the other key has run.
      if (key === a.key && number < 3) throw new Error("not yet");
      if (key === a.key) await otherRan.opened;
    };
    for (const on of [trial.inbox, trial.peer]) trial.work(behaviour, { on, concurrency: 5 });
    await trial.until("all have run", () => trial.runs.length >= 6);
    await trial.idle();
    const names = new Map([
      [a.key, "A"],
      [b.key, "B"],
      [c.key, "C"],
    ]);
    same("the runs", trial.runs.map(({ key }) => names.get(key) ?? "").join(""), "AAABC");
    oneAtATime(trial.runs.filter(({ key }) => key !== other.key));
  },

  "where order is kept, a parked message lets the next of its ordering key run": async (trial) => {
    if (!trial.keeps.order) return;
    const [a, b, c] = trial.messages(3, { orderingKey: "account 1" }) as [InboxMessage, InboxMessage, InboxMessage];
    await trial.addAll([a, b, c]);
    trial.work((_stored, _attempt, { key }) => key === a.key && Promise.reject(new ParkEvent("no retry helps")));
    await trial.untilStats({ parked: 1, waiting: 0, delayed: 0, active: 0 });
    same("the runs", trial.runs.map(({ key }) => key).join(" "), [a, b, c].map(({ key }) => key).join(" "));
  },

  "where order is kept, two workers keep it for many ordering keys": async (trial) => {
    if (!trial.keeps.order) return;
    const keys = Array.from({ length: KEYS }, (_, place) => `account ${place}`);
    const rounds = Array.from({ length: OF_EACH_KEY }, () => keys.map((orderingKey) => trial.message({ orderingKey })));
    const failing = new Set(
      rounds
        .flat()
        .filter((_, place) => place % 3 === 0)
        .map(({ key }) => key),
    );
    const behaviour = (_: unknown, { number }: { number: number }, { key }: Run) =>
      number === 1 && failing.has(key) && Promise.reject(new Error("not yet"));
    await trial.addAll(rounds.flat());
    for (const on of [trial.inbox, trial.peer]) trial.work(behaviour, { on, concurrency: 10 });
    await trial.idle();
    for (const [place] of keys.entries()) {
      const expected = rounds.map((round) => round[place]?.key ?? "");
      inOrder(trial, expected, failing);
    }
  },
};

function inOrder({ runs }: InboxTrial, expected: readonly string[], failing: ReadonlySet<string>): void {
  const ofKey = runs.filter(({ key }) => expected.includes(key));
  const twice = expected.flatMap((key) => (failing.has(key) ? [key, key] : [key]));
  same("the runs of one ordering key", ofKey.map(({ key }) => key).join(" "), twice.join(" "));
  oneAtATime(ofKey);
}

function oneAtATime(runs: readonly Run[]): void {
  for (const [place, { startedAt }] of runs.entries()) {
    const endedAt = place === 0 ? 0 : (runs[place - 1]?.endedAt ?? Number.POSITIVE_INFINITY);
    holds("a run of an ordering key starts once the one before has ended", startedAt >= endedAt);
  }
}
