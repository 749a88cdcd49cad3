// `node example.mjs <script>`: starts the example in this folder by an npm script, with its .env.example as .env, and sends it a genuine
// delivery, the same again, and a forged one. What it stores on a server is in a database or under a name of its own, and is removed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";

const [script = "start"] = process.argv.slice(2);
const name = `trial_${randomBytes(6).toString("hex")}`;
const { DATABASE_URL = "postgres://postgres:test@127.0.0.1:5432/postgres", REDIS_URL, ...others } = process.env;

copyFileSync(".env.example", ".env");
process.loadEnvFile();
const { BLUUM_WEBHOOK_SECRET: secret, DATABASE_URL: needsPostgres, QUEUE: needsRedis } = process.env;
const { env, remove } = await place();
// In a process group of its own: npm starts the example in a shell.
const app = spawn("npm", ["run", "--silent", script], {
  env: { ...others, PORT: "0", ...env },
  stdio: ["ignore", "pipe", "inherit"],
  detached: true,
});
const closed = once(app, "close");
try {
  const url = `http://127.0.0.1:${await listeningPort()}/webhooks/bluum`;
  const type = needsPostgres ? "transfer.deposit.completed" : "order.filled";
  const delivery = signDelivery({ secret, event: sampleEvent(type) });
  assert.ok([200, 204].includes((await fetch(url, delivery)).status));
  assert.deepEqual(await (await fetch(url, delivery)).json(), { received: true, duplicate: true });
  const forged = signDelivery({ secret: "another secret of 16 bytes", event: sampleEvent(type) });
  assert.equal((await fetch(url, forged)).status, 401);
} finally {
  if (app.exitCode === null) process.kill(-app.pid, "SIGTERM");
  await closed;
  await remove();
}

/** What the example's variables name in place of what .env.example does, and what removes it. */
async function place() {
  if (needsPostgres) {
    await sql(`CREATE DATABASE ${name}`);
    const url = new URL(DATABASE_URL);
    url.pathname = name;
    return { env: { DATABASE_URL: url.href, DRAIN_MS: "0" }, remove: () => sql(`DROP DATABASE ${name} WITH (FORCE)`) };
  }
  if (needsRedis) return { env: { QUEUE: name, ...(REDIS_URL && { REDIS_URL }) }, remove: removeKeys };
  return { env: {}, remove() {} };
}

async function sql(statement) {
  const { default: pg } = await import("pg");
  const client = new pg.Client(DATABASE_URL);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function removeKeys() {
  const { Redis } = await import("ioredis");
  const redis = new Redis(REDIS_URL ?? process.env.REDIS_URL);
  const keys = await redis.keys(`*${name}*`);
  if (keys.length > 0) await redis.del(...keys);
  redis.disconnect();
}

async function listeningPort() {
  let printed = "";
  for await (const text of app.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    printed += text;
    const [, port] = /listening on (\d+)/.exec(printed) ?? [];
    if (port !== undefined) return port;
  }
  throw new Error(`the example has ended: ${printed}`);
}
