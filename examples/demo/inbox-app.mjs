// The app of the demo's chapter on the inbox: it answers once an event is in a SQLite file, and its worker runs the handlers. It is a
// process of its own, so that it can be killed. inbox.mjs starts it, and is told of everything that happens.
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import express from "express";
import Database from "libsql";

const { file, port, secret, brokenType, pauseMs, hoursAhead } = JSON.parse(process.argv[2]);
let broken = brokenType;
const tell = (message) => process.connected && process.send(message);
const OUTCOMES = { failed: "threw an error", parked: "parked it" };

const database = new Database(file);
const inbox = sqliteInbox(database, {
  retry: { attempts: 3, backoffMs: pauseMs },
  now: () => Date.now() + hoursAhead * 3_600_000, // nobody waits for the retry
});
const receiver = createReceiver({
  secret,
  namespace: "demo",
  inbox,
  logger: { warn: (line) => tell({ log: line }), error: (line) => tell({ log: line }) },
  observe: ({ outcome }) => Object.hasOwn(OUTCOMES, outcome) && tell({ did: OUTCOMES[outcome] }),
})
  .on("order.filled", (event, { attempt }) => work(event, `booked ${event.data.id} in attempt ${attempt.number}`))
  .on("transfer.deposit.completed", (event) => work(event, "credited the deposit"));

function work(event, did) {
  if (event.type === broken) throw new Error("the database is away");
  tell({ did });
}

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
const server = app.listen(port, "127.0.0.1", () => {
  tell({ port: server.address().port });
  receiver.work();
});

process.on("message", async () => {
  broken = undefined;
  await inbox.redrive({ all: true });
});
process.once("disconnect", async () => {
  server.close();
  server.closeAllConnections();
  await receiver.close();
  database.close();
});
