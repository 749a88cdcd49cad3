import { ParkEvent } from "../../inbox/failure.ts";
import type { InboxMessage } from "../../inbox/message.ts";
import { holds, same } from "../same.ts";
import type { InboxStatements, InboxTrial } from "./trial.ts";

/** How workers share the work, and how they fail. */
export const working: InboxStatements = {
  "two workers share the work, and each message runs once": async (trial) => {
    const all = trial.messages(40);
    await trial.addAll(all);
    const both = trial.gate();
    // No run ends before each worker has started one.
    const share = () => both.opened;
    const workers = [trial.inbox, trial.peer].map((on) => trial.work(share, { on, concurrency: 2 }));
    await trial.until("both workers run a message", () => workers.every(({ runs }) => runs.length > 0));
    both.open();
    await trial.idle();
    for (const message of all) same("runs of a message", trial.runsOf(message).length, 1);
  },

  "a worker works on as many messages at once as its concurrency says": async (trial) => {
    const gates = new Map(trial.messages(9).map((message) => [message.key, { message, gate: trial.gate() }]));
    await trial.addAll([...gates.values()].map(({ message }) => message));
    const running = () => trial.runs.filter(({ endedAt }) => endedAt === undefined);
    let most = 0;
    trial.work(
      (_stored, _attempt, { key }) => {
        most = Math.max(most, running().length);
        return gates.get(key)?.gate.opened;
      },
      { concurrency: 3 },
    );
    for (const batch of [3, 6, 9]) {
      await trial.until("three messages run", () => trial.runs.length >= batch);
      for (const { key } of running()) gates.get(key)?.gate.open();
    }
    await trial.idle();
    same("the most messages at once", most, 3);
    same("runs", trial.runs.length, 9);
  },

  "a worker that waits takes what is added, here or by another process": async (trial) => {
    trial.work();
    for (const by of [trial.inbox, trial.peer, trial.inbox]) {
      const message = trial.message();
      await trial.addAll([message], by);
      await trial.until("the message runs", () => trial.runsOf(message).length === 1);
      await trial.idle();
    }
    same("runs", trial.runs.length, 3);
  },

  "while the backend is away, add rejects and the worker tells onError; both go on afterwards": async (trial) => {
    if (!trial.cutOff) return;
    const worker = trial.work();
    const [before, meanwhile, after] = [trial.message(), trial.message(), trial.message()];
    await trial.addAll([before]);
    await trial.until("the first message runs", () => trial.runs.length === 1);
    await trial.idle();
    const reconnect = await trial.cutOff();
    await trial.until("onError is called", () => worker.errors.length > 0);
    const outcome = await trial.add(meanwhile).catch(() => "rejected");
    same("adding a message meanwhile", outcome, "rejected");
    await reconnect();
    await addOnceBack(trial, after);
    await trial.until("the last message runs", () => trial.runsOf(after).length === 1);
  },

  "an onError that throws does not stop the worker": async (trial) => {
    if (!trial.cutOff) return;
    const fails = () => {
      throw new Error("onError fails");
    };
    const worker = trial.work(undefined, { onError: fails });
    const [before, after] = [trial.message(), trial.message()];
    await trial.addAll([before]);
    await trial.until("the first message runs", () => trial.runs.length === 1);
    await trial.idle();
    const reconnect = await trial.cutOff();
    await trial.until("onError is called", () => worker.errors.length > 0);
    await reconnect();
    await addOnceBack(trial, after);
    await trial.until("the last message runs", () => trial.runsOf(after).length === 1);
  },
};

/** Adds a message as soon as the backend takes it. */
async function addOnceBack(trial: InboxTrial, message: InboxMessage): Promise<void> {
  await trial.until("a message can be added again", () =>
    trial.add(message).then(
      () => true,
      () => false,
    ),
  );
}

/** What becomes of the message of a worker that dies. It takes as long as the inbox waits for a sign of life. */
export const dying: InboxStatements = {
  "a message whose worker died is taken again, which costs an attempt; the late result counts for nothing": async (
    trial,
  ) => {
    if (!trial.cutOff || trial.peer === trial.inbox) return;
    const [died, second] = [trial.gate(), trial.gate()];
    const message = trial.message();
    await trial.addAll([message]);
    const dying = trial.work(() => died.opened.then(() => Promise.reject(new ParkEvent("late"))), {
      maxProcessingMs: 30_000,
    });
    await trial.until("the message runs", () => dying.runs.length === 1);
    const reconnect = await trial.cutOff();
    const heir = trial.work(() => second.opened, { on: trial.peer, maxProcessingMs: 30_000 });
    await trial.until("another worker runs it", () => heir.runs.length === 1, 9 * trial.patienceMs);
    same("its attempt", heir.runs[0]?.attempt.number ?? 0, 2);
    await reconnect();
    died.open();
    await trial.until("the first run has ended", () => dying.runs[0]?.endedAt !== undefined);
    await dying.close({ timeoutMs: 1_000 });
    same("messages active after the late result", (await trial.peer.stats()).active, 1);
    second.open();
    await trial.untilStats({ waiting: 0, delayed: 0, active: 0, parked: 0 });
    same("runs", trial.runs.length, 2);
    holds("no parking was told", dying.notices.length + heir.notices.length === 0);
  },
};
