// Serves the checks of the inbox in a SQLite file, on the SQLite that the runtime itself has.
import { once } from "node:events";
import { createServer } from "node:http";
import { doors } from "../doors.mjs";
import { runInboxSuite } from "../suite/inbox.mjs";
import { announce } from "./announce.mjs";

const Database = globalThis.Bun ? (await import("bun:sqlite")).Database : (await import("node:sqlite")).DatabaseSync;

const server = createServer(async (_, res) => {
  const outcomes = await runInboxSuite(doors, (file) => new Database(file));
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(outcomes));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
announce({ suite: server.address().port });
