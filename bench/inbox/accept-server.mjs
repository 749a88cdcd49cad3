// The server process of accept-sqlite.mjs: each route on a port of its own, with a file of its own. Nothing is taken out again.
import { once } from "node:events";
import { createServer } from "node:http";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import express from "express";
import { PATH } from "../adapters/path.mjs";
import { verifyAndParse } from "../material/floor.mjs";
import { SECRET } from "../material/signatures.mjs";
import { databaseFolder } from "./database.mjs";

const { open } = databaseFolder();
const raw = express.raw({ type: () => true, limit: "1mb" });

/** What one would write: verify, one INSERT, 204. A second delivery is no error. */
function byHand() {
  const database = open();
  database.exec("CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT NOT NULL, received_at INTEGER NOT NULL)");
  const insert = database.prepare("INSERT INTO events VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const route = (req, res) => {
    const { id } = verifyAndParse(req.body, req.headers["x-bluum-signature"]);
    insert.run(id, req.body.toString(), Date.now());
    res.status(204).end();
  };
  return [raw, route];
}

function ours() {
  const inbox = sqliteInbox(open(), { maxWaiting: 100_000_000 });
  return [bluumHandler(createReceiver({ secret: SECRET, inbox, namespace: "bench" }))];
}

let begun;

process.on("message", (message) => {
  if (message === "begin") begun = process.cpuUsage();
  const { user, system } = process.cpuUsage(begun);
  process.send({ cpu: user + system });
});
process.on("disconnect", () => process.exit(0));

const ports = [];
for (const handlers of [byHand(), byHand(), ours()]) {
  const server = createServer(express().post(PATH, ...handlers));
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ports.push(server.address().port);
}
process.send({ ports });
