// Starts the example in this folder, and sends it a genuine delivery, the same again, and a forged one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { sampleEvent, signDelivery } from "bluum-webhooks/testing";

const secret = "a secret of 16 bytes or more";
const env = { ...process.env, BLUUM_WEBHOOK_SECRET: secret, PORT: "0" };
const app = spawn(process.execPath, ["app.mjs"], { env, stdio: ["ignore", "pipe", "inherit"] });
const closed = once(app, "close");
try {
  const url = `http://127.0.0.1:${await listeningPort()}/webhooks/bluum`;
  const delivery = signDelivery({ secret, event: sampleEvent("order.filled") });
  assert.ok([200, 204].includes((await fetch(url, delivery)).status));
  assert.deepEqual(await (await fetch(url, delivery)).json(), { received: true, duplicate: true });
  const forged = signDelivery({ secret: "another secret of 16 bytes", event: sampleEvent("order.filled") });
  assert.equal((await fetch(url, forged)).status, 401);
} finally {
  app.kill("SIGTERM");
  await closed;
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
