// An app with a durable store, in its own process. Arguments: the port, the database's file, its secret, and "hang" for a
// handler that never returns.
import { createServer } from "node:http";
import Database from "libsql";
import { bluumHandler } from "../../dist/adapters/node.js";
import { createReceiver } from "../../dist/src/index.js";
import { sqliteStore } from "../../dist/src/stores/sqlite.js";

const [port, file, secret, behaviour] = process.argv.slice(2);
const store = sqliteStore(new Database(file));
const receiver = createReceiver({ secret, store, namespace: "killed", leaseMs: 3_000, logger: false });
receiver.on("order.filled", async (event) => {
  process.send({ handling: event.data.id });
  if (behaviour === "hang") await new Promise(() => {});
});
const server = createServer(bluumHandler(receiver)).listen(Number(port), "127.0.0.1");
server.on("listening", () => process.send({ port: server.address().port }));
// The test process is gone.
process.on("disconnect", () => process.exit());
