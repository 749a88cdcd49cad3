// One process of the crash matrix: a receiver with an inbox, and its worker. It kills itself as `kill -9` does at one point.
// Argument: JSON { engine, place, at?, once?, effects, worker, redrive? }. Prints its port, then `redriven <n>`.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createReceiver, ParkEvent } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/node";
import { open } from "./engines.mjs";

const { engine, place, at, exactlyOnce, effects, worker, redrive, secret, park } = JSON.parse(process.argv[2]);
const { inbox, book } = await open(engine, place, point);

/** Dies here, if this is the point. */
function point(name) {
  if (name === at) process.kill(process.pid, "SIGKILL");
}

const receiver = createReceiver({
  secret,
  namespace: "crash",
  leaseMs: 1_000,
  inbox: {
    ...inbox,
    async add(...given) {
      point("before add");
      const added = await inbox.add(...given);
      point("after add, before the answer");
      return added;
    },
  },
  // completeIn wants the inbox's own store.
  ...(exactlyOnce ? {} : { store: killingStore(inbox.store) }),
  logger: process.env.LOUD ? console : false,
});

/** The dedupe store of the worker. Only handlers complete here: the door's record is the inbox's matter. */
function killingStore(store) {
  return {
    ...store,
    async complete(...given) {
      point("after the handler, before its completion");
      const result = await store.complete(...given);
      point("after the completion, before the acknowledgement");
      return result;
    },
  };
}

receiver.on(
  "order.filled",
  async (event, context) => {
    if (park) throw new ParkEvent("parked on purpose");
    point("in a handler, before its effect");
    if (exactlyOnce) await book(context, event.id);
    else appendFileSync(effects, `${event.id} ${process.pid}\n`);
    point("in a handler, after its effect");
  },
  { name: "book" },
);

if (worker) receiver.work({ concurrency: 4, pollMs: 50 });
const server = createServer(bluumHandler(receiver)).listen(0, "127.0.0.1", () => {
  console.log(`port ${server.address().port}`);
});

if (redrive !== undefined) {
  setTimeout(() => process.kill(process.pid, "SIGKILL"), redrive);
  console.log(`redriven ${await inbox.redrive({ all: true })}`);
}
