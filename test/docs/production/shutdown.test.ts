import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue, Worker } from "bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { bullmqInbox } from "../../../src/inbox/bullmq.ts";
import { createReceiver, type Inbox, type Receiver } from "../../../src/index.ts";
import { sampleEvent, signDelivery } from "../../../src/testing/index.ts";
import { type Running, startProgram } from "../../examples/programs.ts";
import { canStartRedis, startRedis } from "../../services/redis.ts";
import { ROOT } from "../markdown.ts";
import { compileSnippets, removeSnippets, type Snippet, snippetsOf } from "../snippets.ts";

const secret = "the secret of the endpoint that is shut down";
const snippets = snippetsOf(["docs/guides/production.md"]);
const { program } = snippets.find(({ code }) => code.includes("function operate")) as Snippet;

beforeAll(async () => {
  if (!existsSync(`${ROOT}dist/src/index.js`)) throw new Error("dist is missing: run `npm run build` first");
  await compileSnippets(snippets);
}, 60_000);
afterAll(removeSnippets);

/** A service of which the handlers wait until the file GATE exists, or, unless IGNORE_SIGNAL is set, their signal aborts. */
const SERVICE = `
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "libsql";
import { createReceiver } from "bluum-webhooks";
import { sqliteInbox } from "bluum-webhooks/inbox/sqlite";
import { bluumHandler } from "bluum-webhooks/node";
import { operate } from ${JSON.stringify(program)};

const { BLUUM_WEBHOOK_SECRET: secret, DATABASE, GATE, DRAIN_MS, CLOSE_MS, IGNORE_SIGNAL } = process.env;
const database = new Database(DATABASE);
database.exec("PRAGMA synchronous = FULL");
const inbox = sqliteInbox(database);
const receiver = createReceiver({ secret, namespace: "orders", inbox, leaseMs: IGNORE_SIGNAL ? 1_500 : 30_000 });
receiver.on("order.filled", async ({ data }, { attempt, signal }) => {
  console.log("began " + data.id + " attempt " + attempt.number);
  while (!existsSync(GATE)) {
    await sleep(10);
    if (!IGNORE_SIGNAL) signal.throwIfAborted();
  }
  console.log("ended " + data.id);
});
const webhook = bluumHandler(receiver);
const server = createServer(async (req, res) => {
  if (req.url === "/ready") res.writeHead((await isReady()) ? 200 : 503).end();
  else webhook(req, res);
});
const isReady = operate(server, receiver, inbox, { drainMs: Number(DRAIN_MS), closeMs: Number(CLOSE_MS) });
receiver.work({ concurrency: 2 });
server.listen(0, () => console.log("listening on " + server.address().port));
`;

describe("SIGTERM, sent to a process with a handler at work", { timeout: 30_000 }, () => {
  let folder: string;
  let running: Running[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "production-"));
    writeFileSync(join(snippetFolder(), "service.js"), SERVICE);
  });
  afterEach(async () => {
    await Promise.all(running.map((each) => each.kill()));
    running = [];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const gate = (name: string) => join(folder, `${name}.gate`);

  async function service(name: string, { drainMs = 0, closeMs = 300, ignore = "" } = {}) {
    const env = { DATABASE: join(folder, `${name}.db`), GATE: gate(name), IGNORE_SIGNAL: ignore };
    const times = { DRAIN_MS: String(drainMs), CLOSE_MS: String(closeMs) };
    const child = startProgram(snippetFolder(), "service.js", { ...env, ...times, BLUUM_WEBHOOK_SECRET: secret });
    running.push(child);
    const [, port] = await child.says(/listening on (\d+)\n/);
    return { ...child, url: `http://127.0.0.1:${port}` };
  }

  const post = async (url: string, id: string) =>
    (await fetch(url, signDelivery({ secret, event: sampleEvent("order.filled", { data: { id } }) }))).status;
  const readiness = async (url: string) => (await fetch(`${url}/ready`)).status;

  it("is unready at once, takes deliveries meanwhile, and ends after the handlers", async () => {
    const app = await service("waits", { drainMs: 2_000, closeMs: 20_000 });
    expect(await readiness(app.url)).toBe(200);
    expect(await post(app.url, "ord_1")).toBe(200);
    await app.says(/began ord_1/);
    const ended = app.stop();
    await vi.waitFor(async () => expect(await readiness(app.url)).toBe(503), 1_500);
    expect(await post(app.url, "ord_2")).toBe(200);
    await app.says(/began ord_2/);
    writeFileSync(gate("waits"), "");
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output.match(/^(began|ended) .*/gm)?.toSorted()).toEqual([
      "began ord_1 attempt 1",
      "began ord_2 attempt 1",
      "ended ord_1",
      "ended ord_2",
    ]);
  });

  it("gives back what takes too long: the next process runs it at once, and no attempt is lost", async () => {
    const app = await service("gives-back");
    expect(await post(app.url, "ord_3")).toBe(200);
    await app.says(/began ord_3/);
    const { code, output } = await app.stop();
    expect(code).toBe(0);
    expect(output).not.toContain("ended");

    writeFileSync(gate("gives-back"), "");
    const next = await service("gives-back");
    await next.says(/began ord_3 attempt 1\n/); // long before its lock and its claim, of 30 s, would have expired
    await next.says(/ended ord_3/);
  });

  it("ends although a handler ignores its signal: the next process runs it after the lease, and no attempt is lost", async () => {
    const app = await service("stubborn", { ignore: "yes" });
    expect(await post(app.url, "ord_4")).toBe(200);
    await app.says(/began ord_4/);
    const { code, output } = await app.stop();
    expect(code).toBe(0);
    expect(output).not.toContain("ended");

    writeFileSync(gate("stubborn"), "");
    const next = await service("stubborn", { ignore: "yes" });
    await next.says(/began ord_4 attempt 1\n/);
    await next.says(/ended ord_4/);
  });
});

describe.skipIf(!(await canStartRedis()))("readiness", { timeout: 60_000 }, () => {
  it("follows the store, back and forth, without a restart", async () => {
    const redis = await startRedis();
    const { host, port } = redis;
    const inbox = bullmqInbox({ Queue, Worker, connection: { host, port }, name: "orders", warn: false });
    const receiver = createReceiver({ secret, namespace: "orders", inbox, logger: false });
    const before = process.listeners("SIGTERM");
    try {
      const { operate } = (await import(program)) as {
        operate: (server: object, receiver: Receiver, inbox: Inbox) => () => Promise<boolean>;
      };
      const isReady = operate(createServer(), receiver, inbox);
      expect(await isReady()).toBe(true);
      await redis.kill();
      const askedAt = performance.now();
      expect(await isReady()).toBe(false);
      expect(performance.now() - askedAt).toBeLessThan(10_000);
      await redis.restart();
      await vi.waitFor(async () => expect(await isReady()).toBe(true), { timeout: 30_000 });
    } finally {
      for (const each of process.listeners("SIGTERM")) if (!before.includes(each)) process.off("SIGTERM", each);
      await receiver.close();
      await inbox.close();
      await redis.stop();
    }
  });
});

/** Where the compiled programs are: there the package is found by its name. */
function snippetFolder(): string {
  return join(program, "..");
}
