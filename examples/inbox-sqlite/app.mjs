// The inbox in a SQLite file, in one process: events are answered 2xx once they are on disk, and a worker runs the handlers.
//   BLUUM_WEBHOOK_SECRET=... PORT=3000 npm start
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import express from "express";
import Database from "libsql";

const database = new Database(process.env.WEBHOOKS_DB ?? "webhooks.db");
database.exec("PRAGMA synchronous = FULL"); // each commit reaches the disk

const receiver = createReceiver({
  secret: process.env.BLUUM_WEBHOOK_SECRET,
  namespace: "orders",
  inbox: sqliteInbox(database),
});

receiver.on("order.filled", async (event, { attempt }) => {
  console.log(`attempt ${attempt.number}: ${event.data.id} filled at ${event.data.average_price}`);
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
