// One process among several on one SQLite file. Arguments: the engine, the file, the task.
import { createRequire, register } from "node:module";

if (!process.features.typescript) register("../storm/typescript-loader.mjs", import.meta.url);

const [engine, file, task, ...rest] = process.argv.slice(2);
const { sqliteStore } = await import("../../src/stores/sqlite.ts");
const { ClaimedContext } = await import("../../src/stores/transaction.ts");

const database = open();
const store = sqliteStore(database, { timeoutMs: 10_000 });
const tasks = { claimAll, holdOne, creditAndDie, fillUp };
await tasks[task](...rest);

function open() {
  if (engine === "node:sqlite") return new (process.getBuiltinModule("node:sqlite").DatabaseSync)(file);
  return new (createRequire(import.meta.url)(engine))(file);
}

/** Claims and completes every event that it can get, and prints those. */
async function claimAll(name, count) {
  const won = [];
  for (let number = 0; number < Number(count); number += 1) {
    const key = `event ${number}`;
    const { status } = await store.claim(key, { token: `${name} ${number}`, leaseMs: 600_000 });
    if (status !== "claimed") continue;
    won.push(key);
    await store.complete(key, { token: `${name} ${number}`, retentionMs: 600_000 });
  }
  print(won);
}

/** Claims one event, says so, and works on others until it is killed. */
async function holdOne(name, leaseMs) {
  await store.claim("held", { token: name, leaseMs: Number(leaseMs) });
  print("holding");
  for (let number = 0; ; number += 1) {
    await store.claim(`${name} ${number}`, { token: name, leaseMs: 600_000 });
    await store.complete(`${name} ${number}`, { token: name, retentionMs: 600_000 });
  }
}

/** Credits a ledger together with the completion, and dies before or after the commit. */
async function creditAndDie(when) {
  database.exec("CREATE TABLE IF NOT EXISTS ledger (amount)");
  await store.claim("credit", { token: "dying", leaseMs: 300 });
  const claim = { store, key: "credit", token: "dying", retentionMs: 600_000 };
  const context = new ClaimedContext({ ...claim, handOver() {}, completionWritten() {} });
  database.exec("BEGIN IMMEDIATE");
  database.prepare("INSERT INTO ledger VALUES (?)").run(100);
  store.completeIn(context);
  if (when === "before the commit") process.kill(process.pid, "SIGKILL");
  database.exec("COMMIT");
  process.kill(process.pid, "SIGKILL");
}

/** Claims until a claim fails, the file being at its limit; prints the claims that it was told it had got, and the error. */
async function fillUp() {
  const told = [];
  try {
    for (let number = 0; ; number += 1) {
      const key = `event ${number} ${"x".repeat(200)}`;
      const { status } = await store.claim(key, { token: "filling", leaseMs: 600_000 });
      if (status === "claimed") told.push(key);
    }
  } catch (error) {
    print({ told, error: String(error) });
  }
}

function print(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
