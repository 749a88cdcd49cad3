// A worker on SQLite with handlers that do nothing, to a loop written by hand: claim the oldest, run, complete, each one commit.
import { randomUUID } from "node:crypto";
import { createReceiver } from "bluum-webhooks";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import { SECRET } from "../material/signatures.mjs";
import { rateOf, ratesOf } from "../stores/rates.mjs";
import { databaseFolder } from "./database.mjs";
import { addAll, freshMessages, NAMESPACE } from "./messages.mjs";

const GROUP = "inbox, a worker on SQLite under FULL, handlers that do nothing, 2 KB";
const LOCK_MS = 30_000;
/** More at once than a commit takes: filling is not measured. */
const FILLING = 200;

export async function measureWorker({ inbox: { worked, rounds } }) {
  const { open, remove } = databaseFolder();
  const ours = (concurrency) => receiving(sqliteInbox(open()), worked, concurrency);
  try {
    return await ratesOf(
      GROUP,
      [
        { name: "claim + complete by hand", run: byHand(open(), worked) },
        { name: "claim + complete by hand again (A/A)", run: byHand(open(), worked) },
        { name: "ours, concurrency 10 (the default)", run: ours(10), goal: { figure: "ratio", atLeast: 0.7 } },
        { name: "ours, concurrency 1", run: ours(1) },
        { name: "ours, the inbox alone, concurrency 10", run: working(sqliteInbox(open()), worked) },
      ],
      rounds,
    );
  } finally {
    remove();
  }
}

function byHand(database, count) {
  database.exec(`
    CREATE TABLE events (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, state TEXT, token TEXT, due_at INTEGER, message TEXT);
    CREATE INDEX events_state ON events (state, seq);
  `);
  const insert = database.prepare("INSERT INTO events (key, state, message) VALUES (?, 'waiting', ?)");
  const claim = database.prepare(
    `UPDATE events SET state = 'active', token = ?, due_at = ?
     WHERE seq = (SELECT seq FROM events WHERE state = 'waiting' ORDER BY seq LIMIT 1) RETURNING seq, message`,
  );
  const complete = database.prepare(
    "UPDATE events SET state = 'done', message = NULL WHERE seq = ? AND state = 'active' AND token = ?",
  );
  const handler = async () => {};
  const fill = database.transaction((messages) => {
    for (const message of messages) insert.run(message.key, JSON.stringify(message));
  });
  const drain = async () => {
    for (let done = 0; done < count; done++) {
      const token = randomUUID();
      const [{ seq, message }] = claim.all(token, Date.now() + LOCK_MS);
      await handler(JSON.parse(JSON.parse(message).body));
      complete.run(seq, token);
    }
  };
  return () => {
    fill(freshMessages(count));
    return rateOf(count, drain);
  };
}

/** The whole way: the handler has a claim of its own, so that no retry runs it again once it has succeeded. */
function receiving(inbox, count, concurrency) {
  const receiver = createReceiver({ secret: SECRET, inbox, namespace: NAMESPACE });
  let handled = () => {};
  receiver.on("order.filled", async () => handled());
  return async () => {
    await addAll(inbox, freshMessages(count), FILLING);
    return rateOf(count, async () => {
      const all = counted(count);
      handled = all.one;
      const worker = receiver.work({ concurrency });
      await all.reached;
      await worker.close();
    });
  };
}

/** Without the receiver: what taking and finishing costs. */
function working(inbox, count) {
  return async () => {
    await addAll(inbox, freshMessages(count), FILLING);
    return rateOf(count, () => take(inbox, count));
  };
}

/** Takes `count` events out of an inbox. */
export async function take(inbox, count) {
  const all = counted(count);
  const options = { concurrency: 10, maxProcessingMs: LOCK_MS, onParked: all.fail, onError: all.fail };
  const worker = inbox.work(async () => all.one(), options);
  await all.reached;
  await worker.close();
}

function counted(count) {
  let done = 0;
  let one;
  let fail;
  const reached = new Promise((resolve, reject) => {
    one = () => {
      done += 1;
      if (done === count) resolve();
    };
    fail = reject;
  });
  return { one, fail, reached };
}
