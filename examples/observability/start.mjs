// Runs an app, a sandbox that delivers to it, and a Prometheus with the alert rules of this package; then lets things go wrong, and tells
// which alerts fire and when they resolve.
//   npm start                the rules as they are shipped: an hour and a half, since silence is only alarming after an hour
//   npm run fast             the same rules 120 times as fast: a minute
// On a terminal, or with --stay, all of it stays open afterwards, until Ctrl-C.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createSandbox } from "bluum-webhooks/sandbox";
import { startPrometheus } from "./prometheus.mjs";
import { lastWeek, play } from "./scenario.mjs";

const { values: options } = parseArgs({ options: { fast: { type: "boolean" }, stay: { type: "boolean" } } });
const PACKAGE = import.meta.resolve("bluum-webhooks/package.json");
const PACE = options.fast
  ? { speed: 120, intervalMs: 500, rules: new URL("fast-alerts.yml", import.meta.url) }
  : { speed: 1, intervalMs: 15_000, rules: new URL("observability/prometheus-alerts.yml", PACKAGE) };

const secret = "the secret that Bluum gave this endpoint";
const folder = mkdtempSync(join(tmpdir(), "bluum-observability-"));
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stopping.abort());
/** What to close, the newest first. */
const opened = [() => rmSync(folder, { recursive: true })];

try {
  await run();
} catch (error) {
  if (!stopping.signal.aborted) throw error;
} finally {
  for (const close of opened.reverse()) await close();
}

async function run() {
  const app = await startApp();
  const sandbox = await createSandbox();
  opened.push(() => sandbox.close());
  await sandbox.endpoint({ url: `http://127.0.0.1:${app.port}/webhooks/bluum`, secret });
  // An event before the first scrape: else its first word would be that there are none.
  await sandbox.send("order.filled");
  await sandbox.advance(0);

  const { speed, intervalMs, rules } = PACE;
  const prometheus = await startPrometheus({
    folder,
    intervalMs,
    target: `127.0.0.1:${app.port}`,
    rules: fileURLToPath(rules),
    history: lastWeek(PACE),
  });
  opened.push(prometheus.stop);
  console.log(`Prometheus: ${prometheus.url}/alerts`);
  console.log(`The sandbox: ${sandbox.url}\n`);

  await play({ app, sandbox, prometheus, speed, signal: stopping.signal });
  if (!options.stay && !process.stdout.isTTY) return;
  console.log("\nAll alerts have fired and resolved. Ctrl-C ends it.");
  await once(stopping.signal, "abort");
}

/** Starts the app, and gives its port and a way to break its handler. */
async function startApp() {
  const env = { ...process.env, BLUUM_WEBHOOK_SECRET: secret, PORT: "0", WEBHOOKS_DB: join(folder, "webhooks.db") };
  const child = fork(fileURLToPath(new URL("app.mjs", import.meta.url)), {
    env: { ...env, FEW_ATTEMPTS: "true" },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  opened.push(async () => {
    if (child.connected) child.send("works");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
  });
  const listening = new Promise((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const [, port] = /listening on (\d+)/.exec(text) ?? [];
      if (port !== undefined) resolve(port);
    });
  });
  const failed = ended.then(() => {
    throw new Error("the app ended");
  });
  failed.catch(() => {});
  return { port: await Promise.race([listening, failed]), handler: (state) => child.send(state) };
}
