import { holds, same } from "../same.ts";
import type { InboxStatements } from "./trial.ts";

/** What `stats` tells. */
export const counting: InboxStatements = {
  "an empty inbox counts nothing": async (trial) => {
    const { waiting, delayed, active, parked, oldestWaitingMs } = await trial.inbox.stats();
    same("the stats", [waiting, delayed, active, parked, oldestWaitingMs].join(" "), "0 0 0 0 0");
  },

  "waiting, active and done messages are counted": async (trial) => {
    const gate = trial.gate();
    await trial.addAll(trial.messages(5));
    same("messages waiting", (await trial.inbox.stats()).waiting, 5);
    trial.work(() => gate.opened, { concurrency: 2 });
    await trial.untilStats({ waiting: 3, active: 2, delayed: 0, parked: 0 });
    gate.open();
    await trial.untilStats({ waiting: 0, active: 0, delayed: 0, parked: 0, oldestWaitingMs: 0 });
  },

  "messages that pause after a failure are counted as delayed": async (trial) => {
    await trial.addAll(trial.messages(10));
    trial.work((_, { number }) => number < 3 && Promise.reject(new Error("not yet")));
    // The pauses are random: of twenty, one is long enough to be seen.
    await trial.until("a message is delayed", async () => (await trial.inbox.stats()).delayed > 0);
    await trial.idle();
  },

  "parked messages are counted": async (trial) => {
    await trial.park(trial.messages(3));
    same("messages parked", (await trial.peer.stats()).parked, 3);
    await trial.inbox.redrive({ all: true });
    const { waiting, parked } = await trial.inbox.stats();
    same("messages waiting and parked, once redriven", `${waiting} ${parked}`, "3 0");
  },

  "the age of the oldest waiting message grows": async (trial) => {
    const before = performance.now();
    await trial.addAll([trial.message()]);
    await trial.until("its age is 50 ms", async () => (await trial.inbox.stats()).oldestWaitingMs >= 50);
    await trial.addAll([trial.message()]);
    const { oldestWaitingMs } = await trial.inbox.stats();
    // The backend's clock and this one may not run alike.
    const most = 2 * (performance.now() - before) + 1_000;
    holds(
      `50 <= oldestWaitingMs (${oldestWaitingMs}) <= ${Math.round(most)}`,
      oldestWaitingMs >= 50 && oldestWaitingMs <= most,
    );
  },
};
