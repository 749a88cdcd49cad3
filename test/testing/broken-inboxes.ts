import { type InboxMessage, messageIn } from "../../src/inbox/message.ts";
import type { InboxUnderTest } from "../../src/testing/inbox-contract.ts";
import { PlainInbox } from "./plain-inbox.ts";
import { PlainBackend } from "./plain-row.ts";
import { PlainWorker } from "./plain-worker.ts";

const RETRY = { attempts: 3, backoffMs: 200, maxBackoffMs: 500 };

/** What breaks an inbox: steps that take the place of the sound ones. `sound` works on the same backend. */
export type Break = (sound: PlainInbox, inbox: PlainInbox) => Partial<PlainInbox>;

/** A plain inbox and its peer, with one thing broken in both. */
export function broken(breakIt: Break = () => ({})): InboxUnderTest & { readonly inbox: PlainInbox } {
  const backend = new PlainBackend();
  const open = () => {
    const inbox = new PlainInbox(backend, RETRY);
    return Object.assign(inbox, breakIt(new PlainInbox(backend, RETRY), inbox));
  };
  const inbox = open();
  const cutOff = () => {
    inbox.away = true;
    return () => {
      inbox.away = false;
    };
  };
  return { inbox, peer: open(), retry: RETRY, cutOff, keeps: { order: true } };
}

/** An inbox whose workers are broken. */
function brokenWorker(breakIt: (worker: PlainWorker) => Partial<PlainWorker>): Break {
  return (_, inbox) => ({
    work(process, options) {
      const worker = new PlainWorker(inbox, process, options);
      return Object.assign(worker, breakIt(worker));
    },
  });
}

/** An inbox that stores a changed message. */
function storing(change: (message: InboxMessage) => InboxMessage): Break {
  return (sound) => ({ insert: (message) => sound.insert(change(message)) });
}

const DEATH = "a message whose worker died is taken again, which costs an attempt; the late result counts for nothing";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Every way in which an inbox is broken here, and the cases that find it. */
export const brokenInboxes: readonly (readonly [what: string, breakIt: Break, foundBy: readonly string[]])[] = [
  [
    "acknowledges before it stores",
    (sound) => ({ insert: (message) => void setTimeout(() => sound.insert(message), 20) }),
    ["a message is stored once add has resolved, for every connection"],
  ],
  [
    "replaces a message by a later one with its key",
    (sound, { backend }) => ({
      async add(message, options) {
        const row = backend.rows.get(message.key);
        if (row?.state === "waiting") backend.rows.set(message.key, { ...row, json: JSON.stringify(message) });
        return sound.add(message, options);
      },
    }),
    ["the same key twice is one message: the first"],
  ],
  [
    "looks first and remembers the key later",
    (sound, { backend }) => ({
      async add(message, options) {
        if (backend.remembered.has(message.key)) return "duplicate";
        await tick();
        backend.remembered.delete(message.key);
        return sound.add(message, options);
      },
    }),
    ["the same key many times at once is one message"],
  ],
  [
    "forgets the key of a message that was processed",
    (sound, { backend }) => ({
      succeed(row, token) {
        backend.remembered.delete(row.key);
        sound.succeed(row, token);
      },
    }),
    ["a message that was processed is a duplicate"],
  ],
  [
    "forgets the key of a message that runs",
    (sound, { backend }) => ({
      take(token) {
        const row = sound.take(token);
        backend.remembered.delete(row?.key ?? "");
        return row;
      },
    }),
    ["a message that is running is a duplicate"],
  ],
  [
    "forgets the key of a message that is discarded",
    (sound, { backend }) => ({
      async discard(selection) {
        for (const { key } of sound.selected(selection)) backend.remembered.delete(key);
        return sound.discard(selection);
      },
    }),
    ["a message that is parked is a duplicate, also once it is discarded"],
  ],
  [
    "ignores the case of keys",
    (sound, { backend }) => ({
      async add(message, options) {
        const known = [...backend.remembered].some((key) => key.toLowerCase() === message.key.toLowerCase());
        return known ? "duplicate" : sound.add(message, options);
      },
    }),
    ["keys with characters that backends treat specially are different messages"],
  ],
  ["drops headers", storing(({ headers, ...rest }) => rest), ["every field of a message is kept"]],
  ["adds headers", storing((message) => ({ headers: {}, ...message })), ["a message without optional fields is kept"]],
  [
    "cuts bodies at 64 KiB",
    storing((message) => ({ ...message, body: message.body.slice(0, 65_536) })),
    ["a body of 1 MiB is kept"],
  ],
  [
    "stores texts in Latin-1",
    storing((message) => ({ ...message, body: Buffer.from(message.body, "latin1").toString("latin1") })),
    ["odd characters are kept"],
  ],
  [
    "cuts texts at U+0000",
    storing((message) => ({ ...message, id: message.id.split("\u0000")[0] ?? "" })),
    ["U+0000 is kept, or refused if the inbox says that it cannot keep it"],
  ],
  [
    "drops what it cannot read",
    (sound) => ({
      fail(row, token, thrown) {
        if (messageIn(() => JSON.parse(row.json))) return sound.fail(row, token, thrown);
        sound.succeed(row, token);
        return false;
      },
    }),
    ["a message of a newer version is parked, not lost"],
  ],
  [
    "counts attempts from 0",
    brokenWorker((worker) => {
      const { process } = worker;
      return { process: (message, { number, of }) => process(message, { number: number - 1, of }) };
    }),
    ["attempts are counted from 1, and a message that succeeds is done"],
  ],
  [
    "forgets attempts",
    (sound) => ({
      wait(row, pauseMs) {
        row.started = 0;
        sound.wait(row, pauseMs);
      },
    }),
    [
      "attempts are counted from 1, and a message that succeeds is done",
      "a message is parked after its last attempt, with what it failed with",
    ],
  ],
  ["never pauses", () => ({ pauseAfter: () => 0 }), ["a message that failed pauses before its next attempt"]],
  [
    "rests while a message pauses",
    (sound) => ({
      take: (token) => (sound.rows().some(({ dueAt }) => dueAt > performance.now()) ? undefined : sound.take(token)),
    }),
    ["while a message that failed pauses, others run"],
  ],
  [
    "never parks",
    () => ({ isLast: () => false }),
    [
      "a message is parked after its last attempt, with what it failed with",
      "ParkEvent parks a message at its first attempt",
    ],
  ],
  [
    "deletes a message after its last attempt",
    (_, inbox) => ({ park: ({ key }) => void inbox.backend.rows.delete(key) }),
    ["a message is parked after its last attempt, with what it failed with"],
  ],
  [
    "tells nobody that it parks",
    brokenWorker(() => ({ notify() {} })),
    ["a message is parked after its last attempt, with what it failed with"],
  ],
  [
    "retries a ParkEvent",
    () => ({ isLast: ({ started }) => started >= RETRY.attempts }),
    ["ParkEvent parks a message at its first attempt"],
  ],
  [
    "keeps errors of any size",
    () => ({ failure: (thrown) => ({ message: (thrown as Error).message }) }),
    ["an error is cut to 1,000 characters, its stack to 4,000"],
  ],
  [
    "takes a thrown undefined for success",
    (sound) => ({
      fail(row, token, thrown) {
        if (thrown) return sound.fail(row, token, thrown);
        sound.succeed(row, token);
        return false;
      },
    }),
    ["whatever a handler throws, its message is parked"],
  ],
  [
    "stops when onParked throws",
    brokenWorker((worker) => ({
      notify({ key, type, started, error }) {
        try {
          worker.options.onParked({ key, type, attempts: started, error });
        } catch {
          clearInterval(worker.timer);
        }
      },
    })),
    ["an onParked that throws does not stop the worker"],
  ],
  [
    "runs one message after the other, whatever their ordering keys",
    () => ({ mustWait: (row, rows) => rows.some(({ state, place }) => state !== "parked" && place < row.place) }),
    [
      "a message that always fails does not hold up the others",
      "where order is kept, a message that fails twice holds its ordering key, and no other",
    ],
  ],
  [
    "lists the newest parked events first",
    (sound) => ({ parkedRows: () => sound.parkedRows().reverse() }),
    ["parked events are listed in pages, the oldest first"],
  ],
  [
    "has one page only",
    (sound) => ({ parked: async (query) => ({ events: (await sound.parked(query)).events }) }),
    ["parked events are listed in pages, the oldest first"],
  ],
  [
    "pages by place",
    (sound) => ({
      async parked({ limit = 100, cursor = "0", ...query } = {}) {
        const { events } = await sound.parked({ ...query, limit: 1_000 });
        const end = Number(cursor) + limit;
        const page = events.slice(Number(cursor), end);
        return end >= events.length ? { events: page } : { events: page, cursor: String(end) };
      },
    }),
    ["a cursor stays right when the events of its page are gone"],
  ],
  [
    "ignores the keys of a query",
    (sound) => ({ parked: ({ keys, ...query } = {}) => sound.parked(query) }),
    ["parked events are found by type and by keys, page by page"],
  ],
  [
    "ignores what to redrive",
    (sound) => ({ redrive: () => sound.redrive({ all: true }) }),
    [
      "redrive runs the events with these keys again, and no others",
      "redrive runs the events of a type again, and no others",
    ],
  ],
  [
    "takes no keys for all",
    (sound) => ({
      selected: (by) => sound.selected("keys" in by && by.keys.length === 0 ? { all: true } : by),
    }),
    ["redrive by no keys is none", "discard deletes the events with these keys, of a type, or all"],
  ],
  [
    "keeps the attempts of what is redriven",
    (sound) => ({ revive: (row) => sound.wait(row, 0) }),
    [
      "an event that was redriven has all its attempts again",
      "redrive runs the events with these keys again, and no others",
    ],
  ],
  [
    "redrives and discards what waits, too",
    (sound) => ({ parkedRows: () => sound.rows().filter(({ state }) => state !== "active") }),
    ["redrive leaves alone what is not parked"],
  ],
  [
    "counts what it should discard, and keeps it",
    (sound) => ({ discard: async (by) => sound.selected(by).length }),
    ["discard deletes the events with these keys, of a type, or all"],
  ],
  [
    "takes one page of parked events at most",
    (sound) => ({ selected: (by) => sound.selected(by).slice(0, 1_000) }),
    ["redrive and discard take all events, also more than a page holds"],
  ],
  [
    "tells an age where nothing waits",
    (sound) => ({ stats: async () => ({ ...(await sound.stats()), oldestWaitingMs: 1 }) }),
    ["an empty inbox counts nothing", "waiting, active and done messages are counted"],
  ],
  [
    "counts active messages as waiting",
    (sound) => ({
      async stats() {
        const { waiting, active, ...rest } = await sound.stats();
        return { ...rest, waiting: waiting + active, active: 0 };
      },
    }),
    ["waiting, active and done messages are counted"],
  ],
  [
    "counts delayed messages as waiting",
    (sound) => ({
      async stats() {
        const { waiting, delayed, ...rest } = await sound.stats();
        return { ...rest, waiting: waiting + delayed, delayed: 0 };
      },
    }),
    ["messages that pause after a failure are counted as delayed"],
  ],
  [
    "does not count parked messages",
    (sound) => ({ stats: async () => ({ ...(await sound.stats()), parked: 0 }) }),
    ["parked messages are counted"],
  ],
  [
    "tells the age of the newest message",
    (sound) => ({ stats: async () => ({ ...(await sound.stats()), oldestWaitingMs: 0 }) }),
    ["the age of the oldest waiting message grows"],
  ],
  ["says that it keeps no order", () => ({ noOrder: "why" }), ["an inbox says why it keeps no order, or keeps it"]],
  [
    "loses the order",
    () => ({ mustWait: () => false }),
    [
      "where order is kept, a message that fails twice holds its ordering key, and no other",
      "where order is kept, two workers keep it for many ordering keys",
    ],
  ],
  [
    "lets a parked message hold its ordering key",
    () => ({
      mustWait: (row, rows) => rows.some((each) => each.orderingKey === row.orderingKey && each.place < row.place),
    }),
    ["where order is kept, a parked message lets the next of its ordering key run"],
  ],
  [
    "lets others run before a message that pauses",
    (sound) => ({
      mustWait: (row, rows) =>
        sound.mustWait(
          row,
          rows.filter(({ dueAt }) => dueAt <= performance.now()),
        ),
    }),
    [
      "where order is kept, a message that fails twice holds its ordering key, and no other",
      "where order is kept, two workers keep it for many ordering keys",
    ],
  ],
  [
    "takes messages from workers that live",
    (sound) => ({
      take(token) {
        const row = sound.take(token);
        if (row) row.leasedUntil = 0;
        return row;
      },
      renew() {},
    }),
    ["two workers share the work, and each message runs once"],
  ],
  [
    "works on any number of messages at once",
    brokenWorker((worker) => ({ options: { ...worker.options, concurrency: 1_000 } })),
    ["a worker works on as many messages at once as its concurrency says"],
  ],
  [
    "works on one message at a time",
    brokenWorker((worker) => ({ options: { ...worker.options, concurrency: 1 } })),
    ["a worker works on as many messages at once as its concurrency says"],
  ],
  [
    "looks for messages only when a worker starts",
    brokenWorker((worker) => ({
      fill() {
        PlainWorker.prototype.fill.call(worker);
        clearInterval(worker.timer);
      },
    })),
    ["a worker that waits takes what is added, here or by another process"],
  ],
  [
    "is silent about failures of the backend",
    brokenWorker(() => ({ report() {} })),
    ["while the backend is away, add rejects and the worker tells onError; both go on afterwards"],
  ],
  [
    "gives up when the backend fails",
    brokenWorker(({ options, timer }) => ({
      options: {
        ...options,
        onError(error) {
          options.onError(error);
          clearInterval(timer);
        },
      },
    })),
    ["while the backend is away, add rejects and the worker tells onError; both go on afterwards"],
  ],
  [
    "stops when onError throws",
    brokenWorker((worker) => ({
      report(error) {
        try {
          worker.options.onError(error);
        } catch {
          clearInterval(worker.timer);
        }
      },
    })),
    ["an onError that throws does not stop the worker"],
  ],
  [
    "acknowledges while the backend is away",
    (sound, inbox) => ({ add: async (message, options) => (inbox.away ? "added" : sound.add(message, options)) }),
    ["while the backend is away, add rejects and the worker tells onError; both go on afterwards"],
  ],
  ["leaves messages with dead workers", () => ({ takeBack() {} }), [DEATH]],
  ["lets late results count", () => ({ owns: () => true }), [DEATH]],
  [
    "forgets the attempt of a worker that died",
    (sound) => ({
      take(token) {
        const row = sound.take(token);
        // It is counted when the run ends.
        if (row) row.started = 1;
        return row;
      },
    }),
    [DEATH],
  ],
  [
    "does not wait for messages at work",
    brokenWorker((worker) => ({ close: () => PlainWorker.prototype.close.call(worker, { timeoutMs: 0 }) })),
    ["close waits for the messages at work, and takes no new one"],
  ],
  ["goes on after close", brokenWorker(() => ({ close: async () => {} })), ["a closed worker takes nothing"]],
  [
    "counts an attempt that was given back",
    (sound) => ({ giveBack: (row) => sound.wait(row, 0) }),
    ["close gives back what still runs after timeoutMs, which costs no attempt"],
  ],
  [
    "keeps what still runs",
    () => ({ giveBack() {} }),
    ["close gives back what still runs after timeoutMs, which costs no attempt"],
  ],
];
