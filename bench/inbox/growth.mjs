// What accepting and taking an event cost on SQLite while more and more others wait.
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import { overSizes, turnOf } from "../scale/sizes.mjs";
import { databaseFolder } from "./database.mjs";
import { addAll, freshMessages } from "./messages.mjs";
import { take } from "./worker.mjs";

/** Small, so that a million of them fit on any disk. */
const SIZE = 300;
const AT_ONCE = 50;
/** The waiting events hold the place of those that a real inbox would have room for. */
const ROOM = 100_000_000;

export async function measureGrowth({ inbox: { waiting, grown, rounds } }) {
  const { open, remove } = databaseFolder();
  try {
    const inboxes = [];
    for (const at of waiting) inboxes.push({ at, inbox: await filled(open(), at) });
    const tables = waiting.map((at) => ({ at, run: byHand(open(), at, grown) }));
    const accepting = inboxes.map(({ at, inbox }) => ({ at, run: () => accept(inbox, grown) }));
    const taking = inboxes.map(({ at, inbox }) => ({ at, run: () => turnOf(grown, () => take(inbox, grown)) }));
    const rows = [
      // As many are taken as were accepted, so that the same number waits at the end.
      await overSizes(
        `inbox, accept on SQLite, ${AT_ONCE} at a time, by waiting events`,
        plot("accept"),
        accepting,
        rounds,
      ),
      await overSizes("one INSERT by hand, 50 a commit, by rows", plot("by-hand"), tables, rounds),
      await overSizes("inbox, take on SQLite, by waiting events", plot("take"), taking, rounds),
    ];
    for (const group of [rows[0], rows[2]]) group.at(-1).goal = { figure: "wall ratio", atMost: 1.3 };
    return rows.flat();
  } finally {
    remove();
  }
}

/** What a table with an index on random ids costs anybody as it grows. */
function byHand(database, rows, count) {
  database.exec(`
    PRAGMA cache_size = -1000000;
    CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, message TEXT NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO events (id, message) SELECT 'bench/order.filled/evt_' || lower(hex(randomblob(8))), hex(zeroblob(300)) FROM n;
    PRAGMA wal_checkpoint(TRUNCATE);
    PRAGMA cache_size = -2000;
  `);
  const insert = database.prepare("INSERT INTO events (id, message) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const commit = database.transaction((messages) => {
    for (const message of messages) insert.run(message.key, JSON.stringify(message));
  });
  return () => {
    const messages = freshMessages(count, SIZE);
    return turnOf(count, () => {
      for (let first = 0; first < count; first += AT_ONCE) commit(messages.slice(first, first + AT_ONCE));
    });
  };
}

function plot(what) {
  return { name: `inbox-waiting-${what}`, x: "waiting events" };
}

async function accept(inbox, count) {
  const messages = freshMessages(count, SIZE);
  return turnOf(count, () => addAll(inbox, messages, AT_ONCE));
}

/** Adds one event, and copies it in SQL under other keys: a million one by one would take minutes. */
async function filled(database, count) {
  const inbox = sqliteInbox(database, { maxWaiting: ROOM, keepDoneMs: 0 });
  await addAll(inbox, freshMessages(1, SIZE), 1);
  database.exec(`
    PRAGMA cache_size = -1000000;
    PRAGMA synchronous = OFF;
    CREATE TEMP TABLE others AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
      SELECT 'evt_' || lower(hex(randomblob(8))) AS id FROM n;
    BEGIN;
    INSERT INTO bluum_webhook_inbox (key, id, type, state, attempts, accepted_at, message)
      SELECT 'bench/order.filled/' || others.id, others.id, type, state, attempts, accepted_at, message
      FROM others, bluum_webhook_inbox WHERE seq = 1;
    INSERT INTO bluum_webhook_events (key, token, completed, ends_at)
      SELECT 'bench/order.filled/' || others.id, token, completed, ends_at
      FROM others, (SELECT * FROM bluum_webhook_events LIMIT 1);
    COMMIT;
    DROP TABLE others;
    PRAGMA wal_checkpoint(TRUNCATE);
    PRAGMA cache_size = -2000;
    PRAGMA synchronous = FULL;
  `);
  return inbox;
}
