import { ParkEvent } from "../../inbox/failure.ts";
import { holds, same } from "../same.ts";
import type { InboxStatements } from "./trial.ts";

/** What `close` of a worker does. */
export const closing: InboxStatements = {
  "close waits for the messages at work, and takes no new one": async (trial) => {
    const gate = trial.gate();
    await trial.addAll(trial.messages(2));
    const worker = trial.work(() => gate.opened, { concurrency: 1 });
    await trial.until("a message runs", () => trial.runs.length === 1);
    let closed = false;
    const closing = worker.close().then(() => {
      closed = true;
    });
    const heir = trial.work(undefined, { on: trial.peer });
    await trial.until("another worker runs the other message", () => heir.runs.length === 1);
    // Gives a close that does not wait the time of a whole message.
    await trial.addAll([trial.message()]);
    await trial.until("it runs a third one", () => heir.runs.length === 2);
    same("whether close resolved before the run ended", closed, false);
    gate.open();
    await closing;
    holds("close resolves after the run", worker.runs[0]?.endedAt !== undefined);
    await trial.idle();
    same("runs of the closed worker", worker.runs.length, 1);
    same("runs", trial.runs.length, 3);
  },

  "a closed worker takes nothing": async (trial) => {
    const worker = trial.work();
    await trial.addAll([trial.message()]);
    await trial.until("the message runs", () => worker.runs.length === 1);
    await worker.close();
    await worker.close();
    const later = trial.messages(10);
    await trial.addAll(later);
    const heir = trial.work(undefined, { on: trial.peer });
    await trial.until("another worker runs all that was added", () => heir.runs.length === later.length);
    same("runs of the closed worker", worker.runs.length, 1);
  },

  "close gives back what still runs after timeoutMs, which costs no attempt": async (trial) => {
    const [stuck, second] = [trial.gate(), trial.gate()];
    const message = trial.message();
    await trial.addAll([message]);
    const first = trial.work(() => stuck.opened.then(() => Promise.reject(new ParkEvent("late"))));
    await trial.until("the message runs", () => first.runs.length === 1);
    await first.close({ timeoutMs: 100 });
    same("whether the run was still under way", first.runs[0]?.endedAt === undefined, true);
    const heir = trial.work((_stored, _attempt, { key }) => key === message.key && second.opened, { on: trial.peer });
    await trial.until("another worker runs it", () => heir.runs.length === 1);
    same("its attempt", heir.runs[0]?.attempt.number ?? 0, 1);
    stuck.open();
    await trial.until("the first run has ended", () => first.runs[0]?.endedAt !== undefined);
    // Gives the late result the time of a whole message.
    const other = trial.message();
    await trial.addAll([other]);
    await trial.until("another message runs", () => trial.runsOf(other).length === 1);
    await trial.untilStats({ waiting: 0, delayed: 0, active: 1, parked: 0 });
    second.open();
    await trial.idle();
    same("runs of the message", trial.runsOf(message).length, 2);
    same("messages parked", (await trial.inbox.stats()).parked, 0);
    same("how often a parking was told", first.notices.length + heir.notices.length, 0);
  },
};
