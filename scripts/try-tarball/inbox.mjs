// `node inbox.mjs <engine>`: the first program of docs/guides/inbox.md as a user has it, on SQLite as it is, on another engine with the line
// that makes the inbox taken from the page's snippet of that engine. Its process is killed while it handles an event, and started again;
// an event is parked, then redriven by the command line.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";

const [engine] = process.argv.slice(2);
const REDIS_URL = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const DATABASE_URL = process.env.DATABASE_URL ?? "postgres://postgres:test@127.0.0.1:5432/postgres";

/** The app's own name: of its namespace, its queue, its database. */
const name = `trial_${randomBytes(6).toString("hex")}`;
const secret = "a secret of 16 bytes or more";
const env = { ...process.env, BLUUM_WEBHOOK_SECRET: secret, WEBHOOKS_DB: `${name}.db`, REDIS_URL };

/** How the command line finds the inbox, and what removes the inbox. */
const PLACES = {
  sqlite: async () => ({ options: ["--sqlite", env.WEBHOOKS_DB], remove() {} }),
  bullmq: async () => ({ options: ["--redis", REDIS_URL, "--queue", name], remove: removeKeys }),
  "pg-boss": async () => {
    await sql(`CREATE DATABASE ${name}`);
    const url = new URL(DATABASE_URL);
    url.pathname = name;
    env.DATABASE_URL = url.href;
    const remove = () => sql(`DROP DATABASE ${name} WITH (FORCE)`);
    return { options: ["--postgres", url.href, "--queue", name], remove };
  },
};

writeProgram();
const { options, remove } = await PLACES[engine]();
const url = `http://127.0.0.1:${await freePort()}/webhooks/bluum`;
let app;
try {
  await killAndTakeUp();
  await parkAndRedrive();
} finally {
  await kill();
  await remove();
}

async function killAndTakeUp() {
  await start("hang");
  await deliver("ord_killed");
  await app.prints("started ord_killed");
  await kill();
  await start();
  await app.prints("ord_killed filled at");
  assert.deepEqual(await stats(), { waiting: 0, delayed: 0, active: 0, parked: 0 });
}

async function parkAndRedrive() {
  await kill();
  await start("park");
  await deliver("ord_parked");
  await until("the parking", async () => (await stats()).parked === 1);
  assert.match(await npxInbox("parked"), /the trial parks it/);
  await kill();
  await start();
  assert.match(await npxInbox("redrive", "--type", "order.filled", "--yes"), /1/);
  await app.prints("ord_parked filled at");
  assert.deepEqual(await stats(), { waiting: 0, delayed: 0, active: 0, parked: 0 });
}

/** Writes the page's program, with a handler that can hang or park, and with locks that do not keep the trial waiting. */
function writeProgram() {
  const page = readFileSync("node_modules/bluum-webhooks/docs/guides/inbox.md", "utf8");
  const snippets = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code.replaceAll("orders-api", name));
  let [program] = snippets;
  program = `import { trial } from "./trial.mjs";\n${changed(program, "async (event) => {\n", "async (event) => {\n  await trial(event);\n")}`;
  const made = "const inbox = sqliteInbox(database);\n";
  if (engine === "sqlite") program = changed(program, made, made.replace("database", "database, { lockMs: 1_000 }"));
  else {
    program = `import { inbox } from "./engine.mjs";\n${changed(program, made, "")}`;
    const snippet = snippets.find((code) => code.includes(`"bluum-webhooks/inbox/${engine}"`));
    writeFileSync("engine.mjs", changed(snippet, `"${name}"`, `"${name}", lockMs: 1_000`));
  }
  writeFileSync("app.mjs", program);
  writeFileSync(
    "trial.mjs",
    `import { ParkEvent } from "bluum-webhooks";
     export async function trial(event) {
       console.log("started", event.data.id);
       if (process.env.TRIAL === "hang") await new Promise(() => {});
       if (process.env.TRIAL === "park") throw new ParkEvent("the trial parks it");
     }`,
  );
}

function changed(text, from, to) {
  assert.ok(text.includes(from), `docs/guides/inbox.md has no ${from}`);
  return text.replace(from, to);
}

async function start(trial = "") {
  const child = spawn(process.execPath, ["app.mjs"], { env: { ...env, PORT: new URL(url).port, TRIAL: trial } });
  const closed = once(child, "close");
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  const prints = (text) => until(`${text}, after:\n${output}`, async () => output.includes(text));
  app = { child, closed, prints };
  await until("its server", async () => {
    if (child.exitCode !== null) throw new Error(`the app has ended: ${output}`);
    return fetch(url).then(
      () => true,
      () => false,
    );
  });
}

async function kill() {
  app?.child.kill("SIGKILL");
  await app?.closed;
}

async function deliver(id) {
  const event = sampleEvent("order.filled", { data: { id } });
  assert.equal((await fetch(url, signDelivery({ secret, event }))).status, 200);
}

/** Counts as soon as nothing is under way any more. */
async function stats() {
  let counts;
  await until("the end of all runs", async () => {
    const printed = await inbox("node_modules/.bin/bluum-webhooks", ["stats", "--json"]);
    const { waiting, delayed, active, parked } = JSON.parse(printed);
    counts = { waiting, delayed, active, parked };
    return waiting + delayed + active === 0;
  });
  return counts;
}

function npxInbox(...args) {
  return inbox("npx", args, ["--no-install", "bluum-webhooks"]);
}

async function inbox(command, args, before = []) {
  return (await promisify(execFile)(command, [...before, "inbox", ...args, ...options], { env })).stdout;
}

async function removeKeys() {
  const { Redis } = await import("ioredis");
  const redis = new Redis(REDIS_URL);
  const keys = await redis.keys(`*${name}*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
}

async function sql(statement) {
  const { default: pg } = await import("pg");
  const client = new pg.Client(DATABASE_URL);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function until(what, holds) {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(50)) if (await holds()) return;
  throw new Error(`waited for ${what}`);
}
