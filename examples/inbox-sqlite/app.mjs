// The inbox in a SQLite file, in one process: events are answered 2xx once they are on disk, and a worker runs the handlers.
//   npm start
// Kill it with `kill -9` while it works on an event, and start it again: the event is processed, within twice LOCK_MS after the crash.
import { setTimeout as sleep } from "node:timers/promises";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import express from "express";
import Database from "libsql";

const database = new Database(process.env.WEBHOOKS_DB ?? "webhooks.db");
database.exec("PRAGMA synchronous = FULL"); // each commit reaches the disk
const lockMs = Number(process.env.LOCK_MS ?? 30_000); // the event of a process that died is taken again after that

const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  namespace: "orders",
  inbox: sqliteInbox(database, { lockMs }),
  leaseMs: lockMs,
});

receiver.on("order.filled", async (event, { attempt }) => {
  console.log(`working on ${event.data.id}, attempt ${attempt.number}`);
  await sleep(Number(process.env.WORK_MS ?? 1_000)); // in place of your work
  console.log(`${event.data.id} filled at ${event.data.average_price}`);
});

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
const server = app.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${server.address().port}`));
receiver.work({ concurrency: 10 });

process.once("SIGTERM", async () => {
  server.close(); // takes no new connections
  await receiver.close(); // waits for handlers at work
  database.close();
  console.log("closed");
});
