// An Express app is sent real signed deliveries over HTTP. What happened is printed as a table; the exit code is 1 where an
// answer was not the expected one.
//   npm run demo                         on the memory store
//   npm run demo -- --store sqlite       or redis, or postgres; see stores.mjs
import { EventEmitter, once } from "node:events";
import { parseArgs } from "node:util";
import { createReceiver } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/express";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";
import express from "express";
import { openStore, UnreachableError } from "./stores.mjs";
import { paint, print, printTable } from "./table.mjs";

const secret = "the secret that Bluum gave this endpoint";
const opened = await openStore(chosenStore()).catch(giveUp);

// ---- The app. `did` notes what its handlers do, `log` what the receiver tells the operator.

const did = [];
const log = [];
let failuresLeft = 0;
const slowWork = new EventEmitter();

const logger = { warn: (line) => log.push(line), error: (line) => log.push(line) };
const receiver = createReceiver({ secret, store: opened.store, namespace: "demo", logger })
  .on("order.filled", (event) => did.push(`booked ${event.data.id}`))
  .on("transfer.deposit.completed", async () => {
    slowWork.emit("started");
    await once(slowWork, "finish"); // at work until the copies have been answered
    did.push("credited the deposit");
  })
  .on("order.canceled", () => failOnce("refunded the order"))
  .on("document.*", () => did.push("filed the document"), { name: "file" })
  .on("document.*", () => failOnce("mailed the investor"), { name: "mail" });

const app = express();
app.post("/webhooks/bluum", bluumHandler(receiver));
const server = app.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${server.address().port}/webhooks/bluum`;

function failOnce(work) {
  if (failuresLeft-- > 0) {
    did.push("threw an error");
    throw new Error("the database is away");
  }
  did.push(work);
}

// ---- What is sent, and what is expected of it.

const OK = '{"received":true}';
const DUPLICATE = '{"received":true,"duplicate":true}';
const rows = [];

try {
  await sendEverything();
} finally {
  server.close();
  await receiver.close();
  await opened.close();
}

async function sendEverything() {
  const order = sign(sampleEvent("order.filled", { data: { id: "ord_1" } }));
  await send("a fresh event", order, { status: 200, said: OK, did: "booked ord_1" });
  await send("the same again", order, { status: 200, said: DUPLICATE, did: "nothing" });

  const deposit = sign(sampleEvent("transfer.deposit.completed"));
  const started = once(slowWork, "started");
  const first = fetch(url, deposit);
  await started;
  for (const copy of ["a copy, while the first is at work", "another copy, meanwhile"]) {
    await send(copy, deposit, { status: 503, said: "event_in_flight", did: "nothing" });
  }
  slowWork.emit("finish");
  await note("the first of them", await first, { status: 200, said: OK, did: "credited the deposit" });
  await send("a copy, afterwards", deposit, { status: 200, said: DUPLICATE, did: "nothing" });

  const forged = sign(sampleEvent("order.filled"), "another secret, by somebody else");
  await send("forged: another secret", forged, { status: 401, said: "signature_mismatch", did: "nothing" });
  const altered = { ...order, body: order.body.replace('"10"', '"99"') };
  await send("forged: one amount altered", altered, { status: 401, said: "signature_mismatch", did: "nothing" });
  const unsigned = { ...order, headers: { "content-type": "application/json" } };
  await send("unsigned", unsigned, { status: 401, said: "signature_missing", did: "nothing" });

  failuresLeft = 1;
  const canceled = sign(sampleEvent("order.canceled"));
  await send("an event whose handler fails", canceled, { status: 500, said: "handler_failed", did: "threw an error" });
  await send("  its retry", canceled, { status: 200, said: OK, did: "refunded the order" });
  await send("  a further retry", canceled, { status: 200, said: DUPLICATE, did: "nothing" });

  failuresLeft = 1;
  const document = sign(sampleEvent("document.approved"));
  await send("two handlers, the second fails", document, {
    ...{ status: 500, said: "handler_failed", did: "filed the document, threw an error" },
  });
  await send("  its retry: only the second runs", document, { status: 200, said: OK, did: "mailed the investor" });

  const unknown = sign(sampleEvent("compliance.review.opened"));
  await send("an event that nothing handles", unknown, { status: 200, said: OK, did: "nothing" });
}

// ---- What came of it.

print(`On ${opened.name}\n`);
printTable(rows);
print(`\n${paint("bold", "What the operator's log says")}`);
for (const line of log) print(paint("dim", `  ${line}`));
const wrong = rows.filter((row) => row.wrong).length;
if (wrong > 0) process.exitCode = 1;
print();
print(
  wrong > 0
    ? paint("red", `${wrong} of ${rows.length} answers were not the expected ones.`)
    : "Every genuine event with a handler was processed once, whatever failed or came twice; nothing forged reached the app.",
);

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

function sign(event, by = secret) {
  return signDelivery({ secret: by, event });
}

async function send(sent, delivery, expected) {
  await note(sent, await fetch(url, delivery), expected);
}

/** Adds a row; `wrong` tells what was expected where something else came. */
async function note(sent, response, expected) {
  const body = await response.text();
  const row = {
    sent,
    status: response.status,
    said: JSON.parse(body).error?.code ?? body,
    did: did.splice(0).join(", ") || "nothing",
  };
  const differs = Object.keys(expected).some((field) => row[field] !== expected[field]);
  rows.push({ ...row, wrong: differs ? Object.values(expected).join(", ") : undefined });
}
