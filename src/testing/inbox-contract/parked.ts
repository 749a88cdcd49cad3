import { ParkEvent } from "../../inbox/failure.ts";
import type { Inbox, ParkedSelection } from "../../inbox/inbox.ts";
import { holds, same } from "../same.ts";
import { keysOf, sameKeys } from "./messages.ts";
import type { InboxStatements, InboxTrial } from "./trial.ts";

/** More than a page holds. */
const MANY = 1_050;

/** What `parked`, `redrive` and `discard` do. */
export const parked: InboxStatements = {
  "parked events are listed in pages, the oldest first": async (trial) => {
    const all = trial.messages(7);
    await trial.park(all);
    const first = await trial.inbox.parked({ limit: 3 });
    same("events of the first page", first.events.length, 3);
    holds("the first page has a cursor", first.cursor !== undefined);
    const events = await trial.allParked({ limit: 3 });
    sameKeys("the events of all pages", keysOf(events), keysOf(all));
    const times = events.map(({ parkedAt }) => parkedAt.getTime());
    holds(
      "the oldest come first",
      times.every((time, place) => time >= (times[place - 1] ?? 0)),
    );
    const [page] = [await trial.inbox.parked()];
    same("events of a page by default", page.events.length, 7);
    holds("a page with all events has no cursor", page.cursor === undefined);
  },

  "a cursor stays right when the events of its page are gone": async (trial) => {
    const all = trial.messages(6);
    await trial.park(all);
    const { events, cursor } = await trial.inbox.parked({ limit: 3 });
    holds("the first page has a cursor", cursor !== undefined);
    await trial.inbox.discard({ keys: keysOf(events) });
    const rest = await trial.allParked({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
    sameKeys("the events of both pages", keysOf([...events, ...rest]), keysOf(all));
  },

  "parked events are found by type and by keys, page by page": async (trial) => {
    const [filled, failed] = [trial.messages(3), trial.messages(5, { type: "transfer.failed" })];
    await trial.park([...filled, ...failed]);
    const found = async (query: object) => keysOf(await trial.allParked({ limit: 2, ...query }));
    sameKeys("those of a type", await found({ type: "transfer.failed" }), keysOf(failed));
    sameKeys("those with these keys", await found({ keys: keysOf(failed).slice(1) }), keysOf(failed).slice(1));
    const both = { type: "order.filled", keys: keysOf([...filled.slice(1), ...failed]) };
    sameKeys("those of a type with these keys", await found(both), keysOf(filled).slice(1));
    sameKeys("those of an unknown type", await found({ type: "order" }), []);
    sameKeys("those with an unknown key", await found({ keys: ["unknown"] }), []);
    sameKeys("those with no key", await found({ keys: [] }), []);
  },

  "redrive runs the events with these keys again, and no others": async (trial) => {
    const all = trial.messages(5);
    await trial.park(all);
    const keys = keysOf(all).slice(0, 2);
    same("events redriven", await trial.inbox.redrive({ keys: [...keys, "unknown"] }), 2);
    same("events redriven by the same call again", await trial.inbox.redrive({ keys }), 0);
    await runAgain(trial, keys);
    same("messages parked", (await trial.inbox.stats()).parked, 3);
  },

  "redrive by no keys is none": async (trial) => {
    await trial.park(trial.messages(2));
    same("events redriven by no keys", await trial.inbox.redrive({ keys: [] }), 0);
    same("messages parked", (await trial.inbox.stats()).parked, 2);
  },

  "redrive runs the events of a type again, and no others": async (trial) => {
    const [filled, failed] = [trial.messages(2), trial.messages(3, { type: "transfer.failed" })];
    await trial.park([...filled, ...failed]);
    same("events redriven", await trial.inbox.redrive({ type: "transfer.failed" }), 3);
    await runAgain(trial, keysOf(failed));
    sameKeys("events still parked", keysOf(await trial.allParked()), keysOf(filled));
  },

  "an event that was redriven has all its attempts again": async (trial) => {
    const { attempts } = trial.retry;
    await trial.addAll([trial.message()]);
    const worker = trial.work(() => Promise.reject(new Error("never")));
    await trial.until("it is parked", () => worker.notices.length === 1);
    same("events redriven", await trial.inbox.redrive({ all: true }), 1);
    await trial.until("it is parked again", () => worker.notices.length === 2);
    const once = Array.from({ length: attempts }, (_, place) => place + 1);
    same("its attempts", trial.runs.map(({ attempt }) => attempt.number).join(" "), [...once, ...once].join(" "));
    same("messages parked", (await trial.inbox.stats()).parked, 1);
  },

  "redrive leaves alone what is not parked": async (trial) => {
    const [done, waiting] = [trial.message(), trial.message()];
    await trial.addAll([done]);
    const worker = trial.work();
    await trial.idle();
    await worker.close();
    await trial.addAll([waiting]);
    same("events redriven", await trial.inbox.redrive({ keys: keysOf([done, waiting]) }), 0);
    same("events discarded", await trial.inbox.discard({ keys: keysOf([done, waiting]) }), 0);
    same("events redriven of all", await trial.inbox.redrive({ all: true }), 0);
    same("events discarded of all", await trial.inbox.discard({ all: true }), 0);
    trial.work();
    await trial.idle();
    same("runs", trial.runs.length, 2);
  },

  "discard deletes the events with these keys, of a type, or all": async (trial) => {
    const [filled, failed] = [trial.messages(4), trial.messages(3, { type: "transfer.failed" })];
    await trial.park([...filled, ...failed]);
    await discards(trial, { keys: [...keysOf(filled).slice(0, 1), "unknown"] }, 1, [...filled.slice(1), ...failed]);
    await discards(trial, { keys: [] }, 0, [...filled.slice(1), ...failed]);
    await discards(trial, { type: "transfer.failed" }, 3, filled.slice(1));
    await discards(trial, { all: true }, 3, []);
    same("events redriven afterwards", await trial.inbox.redrive({ all: true }), 0);
  },
};

/** What they do with more events than a page holds. */
export const parkedInNumbers: InboxStatements = {
  "redrive and discard take all events, also more than a page holds": async (trial) => {
    const all = trial.messages(MANY);
    await trial.park(all);
    const page = await trial.inbox.parked({ limit: 1_000 });
    same("events of the largest page", page.events.length, 1_000);
    sameKeys("the parked events", keysOf(await trial.allParked({ limit: 1_000 })), keysOf(all));
    same("events redriven", await trial.inbox.redrive({ all: true }), MANY);
    same("messages waiting", (await trial.inbox.stats()).waiting, MANY);
    await parkWaiting(trial);
    same("events discarded", await trial.inbox.discard({ type: "order.filled" }), MANY);
    same("messages parked", (await trial.inbox.stats()).parked, 0);
  },
};

async function parkWaiting(trial: InboxTrial): Promise<void> {
  trial.work(() => Promise.reject(new ParkEvent("parked by the suite")), { concurrency: 25 });
  await trial.untilStats({ waiting: 0, active: 0, parked: MANY }, MANY);
}

/** Lets a worker run what waits: these keys, once each, as their first attempt. */
async function runAgain(trial: InboxTrial, keys: readonly string[]): Promise<void> {
  const worker = trial.work();
  await trial.idle();
  sameKeys("what ran again", keysOf(worker.runs), keys);
  for (const { attempt } of worker.runs) same("its attempt", attempt.number, 1);
}

async function discards(
  { inbox, allParked }: { inbox: Inbox; allParked: InboxTrial["allParked"] },
  selection: ParkedSelection,
  expected: number,
  left: readonly { readonly key: string }[],
): Promise<void> {
  same("events discarded", await inbox.discard(selection), expected);
  sameKeys("events that are left", keysOf(await allParked()), keysOf(left));
  same("messages parked", (await inbox.stats()).parked, left.length);
}
