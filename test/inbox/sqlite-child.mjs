// One process among several on one SQLite inbox. Arguments: the engine, the file, where the clock starts, the task.
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const [engine, file, clockStart, task, ...rest] = process.argv.slice(2);
const { sqliteInbox } = await import("../../dist/src/inbox/sqlite.js");

/** The clock runs faster, so that the locks of the dead expire soon. */
const now = () => Number(clockStart) + (Date.now() - Number(clockStart)) * 100;
const database = open();
const inbox = sqliteInbox(database, { timeoutMs: 10_000, now, retry: { attempts: 4, backoffMs: 1, maxBackoffMs: 1 } });
const terms = { retentionMs: 1_000_000_000 };
await { addAll, work, dieAt }[task](...rest);

function open() {
  const connection =
    engine === "node:sqlite"
      ? new (process.getBuiltinModule("node:sqlite").DatabaseSync)(file)
      : new (createRequire(import.meta.url)(engine))(file);
  connection.exec("PRAGMA synchronous = FULL");
  return connection;
}

function messageOf(key, orderingKey) {
  const message = {
    v: 1,
    key,
    id: key,
    type: "t",
    body: "x".repeat(300),
    identifiedBy: "payload",
    receivedAt: 0,
    secretIndex: 0,
  };
  return orderingKey === undefined ? message : { ...message, orderingKey };
}

/** Adds events without end, and prints each one that it was told is stored. */
async function addAll(name) {
  for (let number = 0; ; number += 5) {
    const keys = [0, 1, 2, 3, 4].map((more) => `${name}.${number + more}`);
    await Promise.all(keys.map(async (key) => print([key, await inbox.add(messageOf(key), terms)])));
  }
}

/** Runs events, and notes each start and end in a ledger. An event named poison kills it. */
async function work() {
  const note = (key, what) => appendFileSync(`${file}.ledger`, `${JSON.stringify({ key, what })}\n`);
  const handle = async ({ key }, { number }) => {
    note(key, "start");
    if (key.startsWith("poison")) process.kill(process.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
    if (key.endsWith("A") && number === 1) throw new Error("not yet");
    note(key, "end");
  };
  inbox.work(handle, {
    concurrency: 10,
    pollMs: 10,
    maxProcessingMs: 60_000,
    onParked: ({ key }) => print(["parked", key]),
    onError: (error) => print(["error", String(error)]),
  });
  print(["working"]);
}

/** Dies just before or just after the commit of one step of an event. */
async function dieAt(step, when) {
  const exec = database.exec.bind(database);
  let armed = false;
  database.exec = (sql) => {
    if (armed && sql === "COMMIT") {
      if (when === "after") exec(sql);
      process.kill(process.pid, "SIGKILL");
    }
    return exec(sql);
  };
  await inbox.stats();
  armed = step === "add";
  await inbox.add(messageOf("a", "k"), terms);
  await inbox.add(messageOf("b", "k"), terms);
  armed = step === "take";
  inbox.work(
    async () => {
      armed = step === "finish" || step === "fail";
      if (step === "fail") throw new Error("not yet");
    },
    { maxProcessingMs: 60_000, onParked() {}, onError() {} },
  );
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
