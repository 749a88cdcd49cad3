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
    const accepting = inboxes.map(({ at, inbox }) => ({ at, run: () => accept(inbox, grown) }));
    const taking = inboxes.map(({ at, inbox }) => ({ at, run: () => turnOf(grown, () => take(inbox, grown)) }));
    const rows = [
      // The same number again, so that it waits for what is accepted here to be taken below.
      await overSizes(
        `inbox, accept on SQLite, ${AT_ONCE} at a time, by waiting events`,
        plot("accept"),
        accepting,
        rounds,
      ),
      await overSizes("inbox, take on SQLite, by waiting events", plot("take"), taking, rounds),
    ];
    for (const group of rows) group.at(-1).goal = { figure: "wall ratio", atMost: 1.3 };
    return rows.flat();
  } finally {
    remove();
  }
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
  `);
  return inbox;
}
