// One of several receiver processes that share a store, or an inbox. Its settings come as JSON in its argument.
import { AsyncLocalStorage } from "node:async_hooks";
import { closeSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { openInbox } from "./receiver-inboxes.mjs";
import { openStore } from "./receiver-stores.mjs";

const config = JSON.parse(process.argv[2]);
const { name, dist, directory, leaseMs, secret } = config;
const { createReceiver, ParkEvent } = await import(`${dist}/src/index.js`);
const { bluumHandler } = await import(`${dist}/adapters/node.js`);

/** The delivery, or the run of a stored event, that is being processed, and its planned fault. */
const deliveries = new AsyncLocalStorage();
const effects = openSync(join(directory, "effects.log"), "a");
const journal = openSync(join(directory, `journal-${name}.log`), "a");

const { store, inbox, transact } = await (config.kind.startsWith("inbox-") ? openInbox : openStore)(config);
watchStore(inbox?.store ?? store);
watchEventLoop();

const place = inbox ? { inbox: withRuns(inbox) } : { store };
const receiver = createReceiver({ secret, ...place, leaseMs, namespace: "storm", logger: false });
receiver.on("order.filled", append).on("transfer.deposit.completed", book);
if (inbox) receiver.work({ pollMs: 200 });
const handler = bluumHandler(receiver);
const server = createServer((req, res) => {
  if (inbox) return handler(req, res);
  return deliveries.run(deliveryOf(req.headers["x-storm-delivery"], req.headers), () => handler(req, res));
});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
// Nobody is left to end it.
process.on("disconnect", () => process.exit());

function deliveryOf(id, headers) {
  return { id, receivedAt: Date.now(), faults: JSON.parse(headers["x-storm-faults"] ?? "[]") };
}

/** Each run of a stored event counts as a delivery of its own. The fault is in the headers that are stored with the event. */
function withRuns(inbox) {
  let runs = 0;
  return {
    ...inbox,
    work: (process, options) =>
      inbox.work((message, attempt) => {
        runs += 1;
        const run = deliveryOf(`${name}/${runs}`, message.headers);
        return deliveries.run(run, () => process(message, attempt));
      }, options),
  };
}

/** The plain handler: its effect is a line in a log apart from the store. */
async function append(event, context) {
  const startedAt = Date.now();
  await strike("start");
  await pause(event.data.work_ms / 2);
  if (event.data.careful) context.signal.throwIfAborted();
  const { id, receivedAt } = deliveries.getStore();
  const line = [event.id, name, id, receivedAt, startedAt, Date.now()];
  writeSync(effects, `${line.join(" ")}\n`);
  await pause(event.data.work_ms / 2);
  await strike("end");
}

/** The handler whose effect is a row in one transaction with the completion. */
async function book(event, context) {
  await strike("start");
  await pause(event.data.work_ms);
  await transact({ context, row: [event.id, name, Date.now()], strike });
  await strike("end");
}

/** Lets the planned fault strike, once in the whole storm. */
function strike(moment) {
  const fault = deliveries.getStore().faults.find(({ at, id }) => at === moment && isFirst(id));
  if (fault === undefined) return undefined;
  if (fault.act === "slow") return pause(fault.forMs);
  if (fault.act === "kill") process.kill(process.pid, "SIGKILL");
  if (fault.act === "park") throw new ParkEvent("as planned");
  if (fault.act.startsWith("freeze")) freeze(fault.forMs);
  if (fault.act.endsWith("throw")) throw new Error("as planned");
  return fault.act;
}

/** Creates a file that only the first of all processes can create. */
function isFirst(id) {
  try {
    closeSync(openSync(join(directory, "struck", String(id)), "wx"));
    return true;
  } catch {
    return false;
  }
}

function freeze(forMs) {
  const from = Date.now();
  // Written first, since the process may be killed while it is frozen.
  note({ kind: "frozen", from, to: from + forMs });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

/** Records stored completions, and verbs that failed or took long. */
function watchStore(watched) {
  for (const verb of ["claim", "renew", "complete", "release"]) {
    const original = watched[verb];
    watched[verb] = async (key, by) => {
      // An inbox stores an event under its key, and its handler's success under a longer one, which is the one that counts.
      if (inbox && !key.includes("#")) return original.call(watched, key, by);
      const from = Date.now();
      const [eventId] = key.slice(key.lastIndexOf("/") + 1).split("#");
      try {
        const result = await original.call(watched, key, by);
        const to = Date.now();
        if (result === "stored")
          note({ kind: "stored", eventId, delivery: deliveries.getStore()?.id, token: by.token, at: to });
        if (to - from > leaseMs / 3) note({ kind: "slow", verb, eventId, from, to });
        return result;
      } catch (error) {
        note({ kind: "failed", verb, eventId, from, to: Date.now() });
        throw error;
      }
    };
  }
}

/** Records when this process stood still, for any reason. */
function watchEventLoop() {
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > leaseMs / 4) note({ kind: "stood", from: last, to: now });
    last = now;
  }, 50);
}

function note(entry) {
  writeSync(journal, `${JSON.stringify(entry)}\n`);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
