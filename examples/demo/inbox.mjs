// The demo's chapter on the inbox. An app that answers once an event is stored is killed with `kill -9` while its handler is broken,
// and started again; another event is parked, and redriven.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createSandbox } from "bluum-webhooks/sandbox";
import { countedOf, rowOf } from "./table.mjs";

const APP = fileURLToPath(new URL("inbox-app.mjs", import.meta.url));
const RECEIVED = { status: 200, said: '{"received":true}' };
const DUPLICATE = { status: 200, said: '{"received":true,"duplicate":true}', did: "nothing" };
/** How long the app may take for what is expected of it, in milliseconds. */
const PATIENCE_MS = 10_000;

const secret = "the secret that Bluum gave the app with an inbox";
const did = [];
const log = [];
const rows = [];
let sandbox;
let app;

/** Tells the chapter. Gives `{ rows, log }` and, where it cannot be told, what is `missing`. */
export async function tellOfInbox() {
  try {
    await import("libsql");
  } catch {
    return { rows, log, missing: "Not shown, since it needs SQLite: npm install libsql" };
  }
  const folder = mkdtempSync(join(tmpdir(), "bluum-demo-inbox-"));
  sandbox = await createSandbox();
  try {
    await liveThroughKillAndParking(join(folder, "webhooks.db"));
  } finally {
    await closeApp();
    await sandbox.close();
    rmSync(folder, { recursive: true });
  }
  return { rows, log };
}

async function liveThroughKillAndParking(file) {
  const port = await startApp({ file, port: 0, brokenType: "order.filled", pauseMs: 3_600_000, hoursAhead: 0 });
  await sandbox.endpoint({ url: `http://127.0.0.1:${port}/webhooks/bluum`, secret, name: "the app with an inbox" });

  const order = await send("order.filled", { id: "ord_2" });
  await note("an event, while its handler is broken", order, { ...RECEIVED, did: "threw an error" });
  await killApp();
  await startApp({ file, port, brokenType: "transfer.deposit.completed", pauseMs: 20, hoursAhead: 12 });
  await note("  killed with -9, repaired, started again", undefined, { did: "booked ord_2 in attempt 2" });
  await note("  a copy, afterwards", await copyOf(order), DUPLICATE);

  const deposit = await send("transfer.deposit.completed");
  const parked = { ...RECEIVED, did: "threw an error 3 times, parked it" };
  await note("one that fails in all of its 3 attempts", deposit, parked);
  app.send("you are repaired: redrive");
  await note("  redriven, once the app is repaired", undefined, { did: "credited the deposit" });
  await note("  a copy, afterwards", await copyOf(deposit), DUPLICATE);
}

/** Starts the app, and gives its port. */
async function startApp(settings) {
  const started = fork(APP, [JSON.stringify({ secret, ...settings })]);
  const ended = once(started, "exit").then(([code]) => {
    throw new Error(`the app with an inbox could not start: it ended with ${code}`);
  });
  const [{ port }] = await Promise.race([once(started, "message"), ended]);
  ended.catch(() => {});
  started.on("message", (told) => {
    if (told.did) did.push(told.did);
    if (told.log) log.push(told.log);
  });
  app = started;
  return port;
}

async function killApp() {
  const ended = once(app, "exit");
  app.kill("SIGKILL");
  await ended;
}

/** Lets the app close in order. */
async function closeApp() {
  if (!app?.connected) return;
  const ended = once(app, "exit");
  app.disconnect();
  await ended;
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

/** Adds a row on a delivery, or on what the app did without one, once it has done what is expected of it. */
async function note(sent, id, expected) {
  await sandbox.settled();
  const until = performance.now() + PATIENCE_MS;
  while (countedOf(did) !== expected.did && performance.now() < until) await sleep(5);
  rows.push(rowOf(sent, id && sandbox.delivery(id).attempts.at(-1), countedOf(did.splice(0)), expected));
}
