// Starts a real Prometheus, from PROMETHEUS_PATH or from the PATH, that scrapes an app and evaluates alert rules.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const PROMETHEUS = process.env.PROMETHEUS_PATH || "prometheus";
/** How long it may take to start, and to end before it is killed, in milliseconds. */
const START_MS = 30_000;
const END_MS = 5_000;

/**
 * Starts it. Its files go into `folder`.
 *
 * @param options.target host and port of the app, whose metrics are at /metrics
 * @param options.rules the path of the alert rules
 * @param options.intervalMs how often it scrapes and evaluates
 * @param options.history samples of the past, in the format of OpenMetrics
 */
export async function startPrometheus({ folder, target, rules, intervalMs, history }) {
  const data = join(folder, "data");
  const config = join(folder, "prometheus.yml");
  const [port, interval] = [await freePort(), `${intervalMs}ms`];
  // Its configuration is YAML, and JSON is YAML.
  const settings = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [rules],
    scrape_configs: [{ job_name: "app", static_configs: [{ targets: [target] }] }],
  };
  await writeFile(config, JSON.stringify(settings));
  if (history !== undefined) await writeHistory(history, folder, data).catch(explain);

  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(PROMETHEUS, [...args, "--log.level=error"], { stdio: ["ignore", "ignore", "pipe"] });
  const url = `http://127.0.0.1:${port}`;
  const stop = () => end(child);
  try {
    await untilReady(child, url);
  } catch (error) {
    await stop();
    explain(error);
  }
  return {
    url,
    /** The alerts that are pending or firing. */
    alerts: async () => (await ask(`${url}/api/v1/alerts`)).alerts,
    /** The value of an expression now: a list of series. */
    query: async (expr) => (await ask(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`)).result,
    stop,
  };
}

function explain(error) {
  if (error.code !== "ENOENT") throw error;
  throw new Error("prometheus or promtool is not found: put them on the PATH, or name the first in PROMETHEUS_PATH");
}

async function writeHistory(history, folder, data) {
  const file = join(folder, "history.txt");
  await writeFile(file, history);
  const promtool = PROMETHEUS.includes("/") ? join(dirname(PROMETHEUS), "promtool") : "promtool";
  await promisify(execFile)(promtool, ["tsdb", "create-blocks-from", "openmetrics", file, data]);
}

async function untilReady(child, url) {
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const failed = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Prometheus ended: ${said}`)));
  });
  failed.catch(() => {});
  const until = performance.now() + START_MS;
  while (!(await Promise.race([answersOk(`${url}/-/ready`), failed]))) {
    if (performance.now() > until) throw new Error(`Prometheus is not ready after ${START_MS} ms: ${said}`);
    await sleep(50);
  }
}

async function answersOk(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

async function ask(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const answer = await response.json();
  if (answer.status !== "success") throw new Error(`Prometheus: ${answer.error}`);
  return answer.data;
}

/** Ends a program in order, or by force. */
async function end(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await gone;
  clearTimeout(timer);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
