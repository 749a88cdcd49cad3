// The command line as a user has it: an app behind `listen --forward`, `trigger` at it, `detect` on what was saved; then the sandbox, an
// endpoint ensured in it, a scenario through a handler that fails at first, an event parked and replayed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { createReceiver, timestampedSignature } from "bluum-webhooks";
import { bluumHandler } from "bluum-webhooks/node";

const BIN = "node_modules/.bin/bluum-webhooks";
const running = [];
const env = { ...process.env, BLUUM_WEBHOOK_SECRET: "a secret of 16 bytes or more" };
const closing = [];

try {
  await receiveTriggerDetect();
  await goThroughSandbox();
} finally {
  for (const child of running) child.kill("SIGKILL");
  for (const close of closing) close();
}

async function receiveTriggerDetect() {
  const scheme = timestampedSignature({ header: "X-Acme-Signature" });
  const seen = [];
  const receiver = createReceiver({ secret: env.BLUUM_WEBHOOK_SECRET, scheme, logger: false });
  receiver.on("order.*", (event) => void seen.push(event.type));
  const app = await served(bluumHandler(receiver));

  const spoken = "timestamped:header=X-Acme-Signature";
  const listen = start(["listen", "--port", "0", "--forward", app, "--save", "captures", "--scheme", spoken]);
  const { url } = await listen.next("listening");
  await ended(["trigger", "order-filled", "--to", url, "--scheme", spoken]);
  assert.deepEqual(seen, ["order.accepted", "order.partially_filled", "order.partially_filled", "order.filled"]);
  await ended(["trigger", "order.filled", "--to", url, "--scheme", spoken, "--forge", "all"]);
  assert.equal(seen.length, 4, "nothing forged reached a handler");
  await ended(["verify", app, "--scheme", spoken]);
  assert.equal(await listen.interrupted(), 130);

  // The forged ones were saved, too, and no scheme holds for those.
  const [first] = await jsonOf(["detect", firstCapture()]);
  assert.match(first.findings[0].code, /timestampedSignature\(\{ header: "X-Acme-Signature" \}\)/);
}

async function goThroughSandbox() {
  const sandbox = start(["sandbox", "--port", "0", "--speed", "6000"]);
  const { url, baseUrl, credentials } = await sandbox.next("listening");
  Object.assign(env, {
    BLUUM_BASE_URL: baseUrl,
    BLUUM_API_KEY: credentials.apiKey,
    BLUUM_API_SECRET: credentials.apiSecret,
  });

  let failures = 2;
  let secret;
  const done = [];
  const receiver = createReceiver({ secret: () => secret, logger: false }).on("*", (event) => {
    if (failures-- > 0) throw new Error("the database is away");
    done.push(event.type);
  });
  const app = await served(bluumHandler(receiver));
  const ensure = ["endpoints", "ensure", "--url", app, "--event", "*", "--show-secret"];
  const [created] = await jsonOf(ensure);
  assert.equal(created.action, "created");
  secret = created.secret;
  assert.equal((await jsonOf(ensure))[0].action, "unchanged");

  await post(url, "scenarios/order-filled");
  await until("the scenario's delivery", async () => (await states(url, "delivered")).length === 4);
  assert.equal(done.length, 4);

  failures = 6;
  await post(url, "events", { event: "account.created" });
  await until("the parking", async () => (await states(url, "parked")).length === 1);
  await post(url, "replay-parked");
  await until("the replay", async () => done.includes("account.created"));
  assert.match(await (await fetch(url)).text(), /<title>/, "the inspector page is served");
  assert.equal(await sandbox.interrupted(), 130);
}

async function served(handler) {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return `http://127.0.0.1:${server.address().port}/webhooks/bluum`;
}

/** Starts a command that goes on; what it prints is read as JSON, a line at a time. */
function start(args) {
  const child = spawn(BIN, [...args, "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
  running.push(child);
  const closed = once(child, "close");
  const records = [];
  createInterface({ input: child.stdout }).on("line", (line) => records.push(JSON.parse(line)));
  const next = async (kind) => {
    await until(`${args[0]}: ${kind}`, async () => records.some((record) => record.kind === kind));
    return records.find((record) => record.kind === kind);
  };
  const interrupted = async () => {
    child.kill("SIGINT");
    return (await closed)[0];
  };
  return { next, interrupted };
}

/** Runs a command to its end, which must be a good one, and gives what it printed. */
async function ended(args) {
  const child = spawn(BIN, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.setEncoding("utf8").toArray());
  const [code] = await once(child, "close");
  assert.equal(code, 0, `${args.join(" ")}\n${(await out).join("")}${(await err).join("")}`);
  return (await out).join("");
}

async function jsonOf(args) {
  const printed = await ended([...args, "--json"]);
  return printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function firstCapture() {
  return `captures/${readdirSync("captures").sort()[0]}`;
}

async function post(url, path, body = {}) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}_inspector/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, path);
}

async function states(url, state) {
  const { deliveries } = await (await fetch(`${url}_inspector/state`)).json();
  return deliveries.filter((delivery) => delivery.state === state);
}

async function until(what, holds) {
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(50)) if (await holds()) return;
  throw new Error(`waited for ${what}`);
}
