import { failureOf, ParkEvent } from "../../inbox/failure.ts";
import { count, holds, same } from "../same.ts";
import { keysOf, sameKeys } from "./messages.ts";
import type { InboxStatements } from "./trial.ts";

const FAILING = 10;

/** What happens to messages whose run fails. */
export const retrying: InboxStatements = {
  "attempts are counted from 1, and a message that succeeds is done": async (trial) => {
    const { attempts } = trial.retry;
    await trial.addAll([trial.message()]);
    const worker = trial.work((_, { number }) => number < attempts && Promise.reject(new Error("not yet")));
    await trial.until("all attempts are made", () => trial.runs.length >= attempts);
    await trial.idle();
    const expected = Array.from({ length: attempts }, (_, place) => `${place + 1} of ${attempts}`).join(", ");
    same("the attempts", trial.runs.map(({ attempt }) => `${attempt.number} of ${attempt.of}`).join(", "), expected);
    same("messages parked", (await trial.inbox.stats()).parked, 0);
    same("how often a parking was told", worker.notices.length, 0);
  },

  "a message that failed pauses before its next attempt": async (trial) => {
    const { backoffMs } = trial.retry;
    const all = trial.messages(FAILING);
    await trial.addAll(all);
    trial.work((_, { number }) => number === 1 && Promise.reject(new Error("not yet")));
    await trial.until("every message ran twice", () => trial.runs.length >= 2 * FAILING);
    const pauses = all.map((message) => {
      const [first, second] = trial.runsOf(message);
      return (second?.startedAt ?? 0) - (first?.endedAt ?? 0);
    });
    const meanMs = Math.round(pauses.reduce((sum, pause) => sum + pause, 0) / FAILING);
    // Pauses are random from 0 to backoffMs. That the mean of ten is below a tenth happens once in millions.
    holds(`the mean pause (${meanMs} ms) is a tenth of backoffMs (${backoffMs}) or more`, meanMs >= backoffMs / 10);
  },

  "while a message that failed pauses, others run": async (trial) => {
    const all = trial.messages(FAILING);
    await trial.addAll(all);
    trial.work((_, { number }) => number === 1 && Promise.reject(new Error("not yet")), { concurrency: 1 });
    await trial.until("every message ran twice", () => trial.runs.length >= 2 * FAILING);
    const sharing = trial.runs.filter(
      ({ attempt, key }, place) => attempt.number === 1 && trial.runs[place + 1]?.key !== key,
    );
    holds("another message runs between two attempts of one", sharing.length > 0);
  },

  "a message is parked after its last attempt, with what it failed with": async (trial) => {
    const message = trial.message();
    await trial.addAll([message]);
    const worker = trial.work((_, { number }) => Promise.reject(new Error(`failure ${number}`)));
    await trial.untilStats({ parked: 1, waiting: 0, delayed: 0, active: 0 });
    const { attempts } = trial.retry;
    same("runs", trial.runs.length, attempts);
    const [event] = await trial.allParked();
    for (const parked of [event, worker.notices[0]]) {
      same("its key", parked?.key ?? "", message.key);
      same("its type", parked?.type ?? "", message.type);
      same("its attempts", parked?.attempts ?? 0, attempts);
      same("its error", parked?.error.message ?? "", `failure ${attempts}`);
    }
    same("how often its parking was told", worker.notices.length, 1);
    holds("it has the time of its parking", Number.isFinite(event?.parkedAt.getTime()));
  },

  "ParkEvent parks a message at its first attempt": async (trial) => {
    await trial.addAll([trial.message()]);
    const worker = trial.work(() => Promise.reject(new ParkEvent("no retry helps")));
    await trial.untilStats({ parked: 1, waiting: 0, delayed: 0, active: 0 });
    same("runs", trial.runs.length, 1);
    const [event] = await trial.allParked();
    same("its attempts", event?.attempts ?? 0, 1);
    same("its error", event?.error.message ?? "", "no retry helps");
    same("how often its parking was told", worker.notices.length, 1);
  },

  "an error is cut to 1,000 characters, its stack to 4,000": async (trial) => {
    const long = new ParkEvent("m".repeat(20_000));
    long.stack = "s".repeat(20_000);
    await trial.addAll([trial.message()]);
    const worker = trial.work(() => Promise.reject(long));
    await trial.until("it is parked", () => worker.notices.length === 1);
    const [event] = await trial.allParked();
    for (const parked of [event, worker.notices[0]]) {
      same("the message of its error", parked?.error.message ?? "", failureOf(long).message);
      holds("the stack of its error is cut", (parked?.error.stack?.length ?? 0) <= 4_000);
    }
  },

  "whatever a handler throws, its message is parked": async (trial) => {
    const unprintable = { toString: () => JSON.parse("unprintable") };
    const odd: unknown[] = [undefined, null, "a text", 0, Symbol("odd"), {}, unprintable, Object.create(null)];
    const all = trial.messages(odd.length);
    await trial.addAll(all);
    const throwing = new Map(all.map(({ key }, place) => [key, odd[place]]));
    trial.work((_stored, _attempt, { key }) => Promise.reject(throwing.get(key)));
    await trial.untilStats({ parked: odd.length, waiting: 0, delayed: 0, active: 0 });
    sameKeys("the parked events", keysOf(await trial.allParked()), keysOf(all));
  },

  "an onParked that throws does not stop the worker": async (trial) => {
    const all = trial.messages(3);
    await trial.addAll(all);
    const fails = () => {
      throw new Error("onParked fails");
    };
    trial.work(() => Promise.reject(new ParkEvent("no retry helps")), { concurrency: 1, onParked: fails });
    await trial.untilStats({ parked: 3, waiting: 0, delayed: 0, active: 0 });
    for (const message of all) same("runs of a message", trial.runsOf(message).length, 1);
  },

  "a message that always fails does not hold up the others": async (trial) => {
    const [poison, others, othersRan] = [trial.message(), trial.messages(20), trial.gate()];
    await trial.addAll([poison, ...others]);
    const poisoned = async ({ number }: { number: number }) => {
      // Its last attempt ends only once all others have run.
      if (number === trial.retry.attempts) await othersRan.opened;
      throw new Error("never");
    };
    trial.work((_, attempt, { key }) => key === poison.key && poisoned(attempt));
    const ranOnce = () =>
      count(
        others.map((other) => trial.runsOf(other).length),
        1,
      ) === others.length;
    await trial.until("all others have run", ranOnce);
    othersRan.open();
    await trial.untilStats({ parked: 1, waiting: 0, delayed: 0, active: 0 });
    holds("each of the others ran once", ranOnce());
  },
};
