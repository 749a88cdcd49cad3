import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type Prometheus, startPrometheus } from "../../examples/observability/prometheus.mjs";
import { createReceiver, memoryStore, type ReceiverOptions } from "../../src/index.ts";
import { openTelemetry } from "../../src/telemetry/opentelemetry.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "../docs/markdown.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { dashboardExpressions } from "../observability/expressions.ts";
import { listInbox } from "../pipeline/list-inbox.ts";
import { listen } from "../services/ports.ts";
import { findPrometheus } from "../services/prometheus.ts";
import { exampleContract } from "./contract.ts";
import { installed, startProgram } from "./programs.ts";

/** What the alerts are 120 times as fast as, which the example ships. */
const FAST_RULES = `${ROOT}examples/observability/fast-alerts.yml`;
const programs = findPrometheus();
/** What goes wrong in the example. */
const EXAMPLE_ALERTS = ["BluumSignatureFailures", "BluumEventsParked", "BluumEventsWaitTooLong", "BluumNoDeliveries"];
/** So much faster, a busy machine looks like slow answers. */
const LOADED = "BluumAcknowledgementSlow";
const secret = "the secret of the observed endpoint";

exampleContract("observability");

describe("examples/observability", () => {
  it("imports nothing that its package.json does not list", () => {
    const folder = `${ROOT}examples/observability`;
    const text = ["app.mjs", "start.mjs", "prometheus.mjs", "scenario.mjs"].map((name) =>
      readFileSync(`${folder}/${name}`, "utf8"),
    );
    const imported = text.flatMap((each) =>
      [...each.matchAll(/from "((?!node:|\.)(?:@[^/"]+\/)?[^/"]+)/g)].map(([, name]) => name),
    );
    const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(imported));
  });
});

describe.runIf(exhaustive && programs !== undefined)("with a real Prometheus", { ...inFull, timeout: 240_000 }, () => {
  const folders: string[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => {
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  });

  it("the example's alerts fire and resolve, and every panel of the dashboard has data", async () => {
    const folder = installed("observability", "-live");
    folders.push(folder);
    const example = startProgram(folder, "start.mjs", {}, ["--fast", "--stay"]);
    closing.push(() => example.stop());
    const [, url = ""] = await example.says(/^Prometheus: (\S+)\/alerts$/m);
    const seen = new Map<string, string[]>();
    const over = example.says(/^All alerts have fired and resolved/m).then(() => true);
    while (!(await Promise.race([over, sleep(250, false)]))) note(seen, await alertsOf(url));
    note(seen, await alertsOf(url));
    expect([...seen.keys()]).toEqual(expect.arrayContaining(EXAMPLE_ALERTS));
    expect([...seen.keys()].filter((name) => !EXAMPLE_ALERTS.includes(name) && name !== LOADED)).toEqual([]);
    for (const [name, states] of seen) expect(states.at(-1), name).toBe("resolved");
    // The whole run is inside the window of `rate`.
    for (const { place, expr } of dashboardExpressions("10m")) expect(await resultOf(url, expr), place).not.toEqual([]);
    expect((await example.stop()).code).toBe(0);
  });

  it("the alerts on the store, the claims, the inbox and slow answers fire and resolve", async () => {
    const app = faultyApp();
    const server = createServer(app.metrics);
    const [, port] = await listen(server);
    closing.push(async () => {
      server.close();
      server.closeAllConnections();
    });
    const folder = mkdtempSync(join(tmpdir(), "bluum-prometheus-"));
    folders.push(folder);
    const prometheus = await startPrometheus({
      folder,
      target: `127.0.0.1:${port}`,
      rules: FAST_RULES,
      intervalMs: 500,
    });
    closing.push(prometheus.stop);

    await app.deliverUntil(async () => (await prometheus.query("up == 1")).length > 0, 30);
    expect(await firing(prometheus)).toEqual([]);
    app.fail();
    const expected = [
      "BluumAcknowledgementSlow of slow",
      "BluumClaimsLost of claims",
      "BluumInboxErrors of inbox",
      "BluumStoreErrors of store",
    ];
    await app.deliverUntil(async () => includesAll(await firing(prometheus), expected), 60);
    expect((await firing(prometheus)).filter((each) => expected.includes(each) || !each.startsWith(LOADED))).toEqual(
      expected,
    );
    for (const { annotations } of await prometheus.alerts()) {
      expect(annotations.description).toMatch(/^\p{Lu}[^{}]+\.$/u);
      expect(annotations.summary).not.toMatch(/[{}]|no value/);
    }
    app.recover();
    await app.deliverUntil(async () => (await firing(prometheus)).length === 0, 60);
    expect(await firing(prometheus)).toEqual([]);
  });
});

/** Notes which alerts fire, and which have resolved. */
function note(seen: Map<string, string[]>, alerts: Awaited<ReturnType<Prometheus["alerts"]>>): void {
  const names = alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname ?? "");
  for (const name of names)
    if (seen.get(name)?.at(-1) !== "firing") seen.set(name, [...(seen.get(name) ?? []), "firing"]);
  for (const [name, states] of seen) if (!names.includes(name) && states.at(-1) === "firing") states.push("resolved");
}

async function alertsOf(url: string): ReturnType<Prometheus["alerts"]> {
  return (await (await fetch(`${url}/api/v1/alerts`)).json()).data.alerts;
}

async function resultOf(url: string, expr: string): Promise<unknown[]> {
  return (await (await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`)).json()).data.result;
}

async function firing(prometheus: Prometheus): Promise<string[]> {
  const alerts = (await prometheus.alerts()).filter(({ state }) => state === "firing");
  return alerts.map(({ labels }) => `${labels.alertname} of ${labels.messaging_destination_name}`).sort();
}

function includesAll(names: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((name) => names.includes(name));
}

/** Four receivers, each of which fails in its own way on demand. */
function faultyApp() {
  let failing = false;
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const telemetry = openTelemetry({ meterProvider: new MeterProvider({ readers: [exporter] }) });
  const receiver = (namespace: string, options: Partial<ReceiverOptions>, workMs = () => 0) =>
    createReceiver({ secret, namespace, telemetry, logger: false, ...options }).on("order.filled", () =>
      sleep(workMs()),
    );
  const [forStore, forClaims] = [memoryStore(), memoryStore()];
  const down = async () => Promise.reject(new Error("down"));
  const inbox = listInbox();
  const receivers = [
    receiver("store", { store: { ...forStore, claim: (...args) => (failing ? down() : forStore.claim(...args)) } }),
    receiver("claims", {
      store: {
        ...forClaims,
        complete: async (...args) => (failing ? "held_by_another" : forClaims.complete(...args)),
      },
    }),
    receiver("inbox", { inbox: { ...inbox, add: (...args) => (failing ? down() : inbox.add(...args)) } }),
    receiver("slow", {}, () => (failing ? 400 : 0)),
  ];
  const deliver = () => {
    const { headers, body } = signDelivery({ secret, event: sampleEvent("order.filled") });
    return Promise.all(receivers.map((each) => each.handle({ method: "POST", headers, body: Buffer.from(body) })));
  };
  return {
    metrics: exporter.getMetricsRequestHandler.bind(exporter),
    fail: () => {
      failing = true;
    },
    recover: () => {
      failing = false;
    },
    /** Delivers five events a second until something is so, or the time is up. */
    async deliverUntil(isSo: () => Promise<boolean>, seconds: number) {
      const until = performance.now() + seconds * 1_000;
      while (!(await isSo()) && performance.now() < until) {
        await deliver();
        await sleep(200);
      }
    },
  };
}
