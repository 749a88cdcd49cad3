// An Express app is registered with a sandbox, which is Bluum on localhost, and lives through what a webhook endpoint lives through:
// copies, forgeries, handlers that fail, retries, parking and replay. What happened is printed as a table; the exit code is 1 where
// an answer was not the expected one. On a terminal the sandbox's page stays open until Ctrl-C. The chapter on the inbox is in inbox.mjs.
//   npm start                            on the memory store; in the root of a clone: npm run demo
//   npm start -- --store sqlite          or redis, or postgres; see stores.mjs
import { EventEmitter, once } from "node:events";
import { parseArgs } from "node:util";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { createSandbox } from "bluum-webhooks/sandbox";
import express from "express";
import { tellOfInbox } from "./inbox.mjs";
import { openStore, UnreachableError } from "./stores.mjs";
import { countedOf, paint, print, printTable, rowOf } from "./table.mjs";

const opened = await openStore(chosenStore()).catch(giveUp);

// ---- Bluum. The demo puts its clock forward, so that nobody waits for the retry eight hours later.

const answers = new EventEmitter();
const sandbox = await createSandbox({
  observe: ({ delivery }) => {
    if (delivery?.attempts.at(-1)?.latencyMs != null) answers.emit(delivery.id);
  },
});

// ---- The app. `did` notes what its handlers do, `log` what the receiver tells the operator.

const did = [];
const log = [];
let failuresLeft = 0;
let isOver = false; // the story; whoever plays with the page meets an app that is well
const slowWork = new EventEmitter();

const secret = "the secret that Bluum gave this endpoint";
const logger = { warn: (line) => log.push(line), error: (line) => log.push(line) };
const receiver = createReceiver({ secret, store: opened.store, namespace: "demo", logger })
  .on("order.filled", (event) => did.push(`booked ${event.data.id}`))
  .on("transfer.deposit.completed", async () => {
    slowWork.emit("started");
    if (!isOver) await once(slowWork, "finish"); // at work until the copies have been answered
    did.push("credited the deposit");
  })
  .on("order.canceled", () => failOrDo("refunded the order"))
  .on("document.*", () => did.push("filed the document"), { name: "file" })
  .on("document.*", () => failOrDo("mailed the investor"), { name: "mail" });

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${server.address().port}/webhooks/bluum`;
await sandbox.endpoint({ url, secret, name: "the demo's app" });

function failOrDo(work) {
  if (failuresLeft-- > 0) {
    did.push("threw an error");
    throw new Error("the database is away");
  }
  did.push(work);
}

// ---- What is sent, and what is expected of it.

const OK = '{"received":true}';
const UNHANDLED = '{"received":true,"unhandled":true}';
const DUPLICATE = '{"received":true,"duplicate":true}';
const FAILED = { status: 500, said: "handler_failed", did: "threw an error" };
const rows = [];

try {
  await liveThroughEverything();
  const inbox = await tellOfInbox();
  isOver = true;
  await showPage(inbox);
} finally {
  server.close();
  server.closeAllConnections();
  await receiver.close({ timeoutMs: 1_000 });
  await sandbox.close();
  await opened.close();
}

async function liveThroughEverything() {
  const order = await send("order.filled", { id: "ord_1" });
  await note("a fresh event", order, { status: 200, said: OK, did: "booked ord_1" });
  await note("the same again", await copyOf(order), { status: 200, said: DUPLICATE, did: "nothing" });

  const started = once(slowWork, "started");
  const deposit = await send("transfer.deposit.completed");
  await started;
  for (const copy of ["a copy, while the first is at work", "another copy, meanwhile"]) {
    await note(copy, await copyOf(deposit), { status: 503, said: "event_in_flight", did: "nothing" });
  }
  slowWork.emit("finish");
  await note("the first of them", deposit, { status: 200, said: OK, did: "credited the deposit" });
  await note("a copy, afterwards", await copyOf(deposit), { status: 200, said: DUPLICATE, did: "nothing" });

  for (const [sent, kind, code] of [
    ["forged: another secret", "wrong_secret", "signature_mismatch"],
    ["forged: one amount altered", "altered_body", "signature_mismatch"],
    ["unsigned", "no_signature", "signature_missing"],
  ]) {
    await note(sent, (await sandbox.forge(order, kind)).id, { status: 401, said: code, did: "nothing" });
  }

  failuresLeft = 1;
  const canceled = await send("order.canceled");
  await note("an event whose handler fails", canceled, FAILED);
  await sandbox.advance();
  await note(`  its retry, ${sinceFirst(canceled)} later`, canceled, {
    status: 200,
    said: OK,
    did: "refunded the order",
  });

  failuresLeft = 1;
  const document = await send("document.approved");
  await note("two handlers, the second fails", document, { ...FAILED, did: "filed the document, threw an error" });
  await sandbox.advance();
  await note("  its retry: only the second runs", document, { status: 200, said: OK, did: "mailed the investor" });

  failuresLeft = 6;
  const parked = await send("order.canceled");
  await sandbox.settled();
  const failures = { ...FAILED, did: `${FAILED.did} 6 times` };
  await note(`one that fails 6 times in ${sinceFirst(parked)}: parked`, parked, failures);
  const [replayed] = await sandbox.replayParked();
  await note("  replayed, once the app is repaired", replayed.id, { status: 200, said: OK, did: "refunded the order" });

  const unknown = await send("compliance.review.opened");
  await note("an event that nothing handles", unknown, { status: 200, said: UNHANDLED, did: "nothing" });
}

// ---- What came of it.

/** Prints the tables, and where somebody watches keeps the page open. */
async function showPage(inbox) {
  print(`On ${opened.name}\n`);
  printTable(rows);
  print(`\n${paint("bold", "With an inbox: answered once the event is on disk, then a worker runs the handlers")}\n`);
  if (inbox.missing) print(inbox.missing);
  else printTable(inbox.rows);
  print(`\n${paint("bold", "What the operator's log says")}`);
  for (const line of [...log, ...inbox.log]) print(paint("dim", `  ${line}`));
  const all = [...rows, ...inbox.rows];
  const wrong = all.filter((row) => row.wrong).length;
  if (wrong > 0) process.exitCode = 1;
  print();
  print(
    wrong > 0
      ? paint("red", `${wrong} of ${all.length} answers were not the expected ones.`)
      : "Every genuine event with a handler was processed once, whatever failed or came twice; nothing forged reached the app.",
  );
  if (!process.stdout.isTTY) return;
  print(`\nAll of it, with buttons to try more: ${paint("bold", sandbox.url)}   (Ctrl-C ends it)`);
  await once(process, "SIGINT");
}

/** The store that the command line names. */
function chosenStore() {
  try {
    return parseArgs({ options: { store: { type: "string", default: "memory" } } }).values.store;
  } catch (error) {
    return giveUp(error);
  }
}

/** What the user can mend is told in a line; all else is a fault of the demo. */
function giveUp(error) {
  if (!(error instanceof UnreachableError || error.code?.startsWith("ERR_PARSE_ARGS"))) throw error;
  print(paint("red", error.message));
  process.exit(1);
}

/** Lets the sandbox send an event to the app, and gives its delivery's id. */
async function send(type, data = {}) {
  const [delivery] = await sandbox.send(type, { data });
  return delivery.id;
}

async function copyOf(id) {
  const { id: copy } = await sandbox.duplicate(id);
  return copy;
}

/** Adds a row on a delivery, once it is answered. */
async function note(sent, id, expected) {
  while (isOnItsWay(sandbox.delivery(id))) await once(answers, id);
  rows.push(rowOf(sent, sandbox.delivery(id).attempts.at(-1), countedOf(did.splice(0)), expected));
}

function isOnItsWay({ state }) {
  return state === "waiting" || state === "sending";
}

/** How long after its first attempt a delivery's last came, on the sandbox's clock. */
function sinceFirst(id) {
  const { attempts } = sandbox.delivery(id);
  const minutes = (attempts.at(-1).at - attempts[0].at) / 60_000;
  return minutes < 60 ? `${Math.round(minutes)} min` : `${Math.floor(minutes / 60)} hours`;
}
