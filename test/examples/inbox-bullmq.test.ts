import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "../docs/markdown.ts";
import { exhaustive, inFull } from "../exhaustive.ts";
import { type FlakyProxy, flakyProxy } from "../services/flaky-proxy.ts";
import { findRedis } from "../services/redis.ts";
import { installed, type Running, type RunningExample, startApp, startProgram } from "./programs.ts";

const secret = "the secret of the inbox's endpoint";
const name = `test-${randomBytes(8).toString("hex")}`;
const service = await findRedis();
/** For what takes its time on a busy machine. */
const PATIENCE = { timeout: 30_000 };
const RECEIVED = [200, { received: true }];
const DUPLICATE = [200, { received: true, duplicate: true }];

describe.skipIf(!service)("examples/inbox-bullmq", { timeout: 90_000 }, () => {
  const { url: redisUrl = "", port: redisPort = 0 } = service ?? {};
  const running = new Set<Running>();
  const proxies = new Set<FlakyProxy>();
  let folder: string;
  let redis: Redis;
  let queue: Queue;

  beforeAll(() => {
    if (!existsSync(`${ROOT}dist/src/inbox/bullmq.js`)) throw new Error("dist is missing: run `npm run build` first");
    folder = installed("inbox-bullmq");
    redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
    queue = new Queue(name, { connection: redis });
  });

  afterEach(async () => {
    for (const program of running) await program.kill();
    for (const proxy of proxies) await proxy.close();
    running.clear();
    proxies.clear();
    await queue.obliterate({ force: true });
  });

  afterAll(async () => {
    await queue?.close();
    for (const pattern of [`bull:${name}:*`, `bull-bluum:${name}:*`, `${name}:*`]) {
      const keys = await redis?.keys(pattern);
      if (keys?.length) await redis.del(keys);
    }
    redis?.disconnect();
    await service?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  function environment(url: string, workMs = 0): NodeJS.ProcessEnv {
    return {
      BLUUM_WEBHOOK_SECRET: secret,
      QUEUE: name,
      REDIS_URL: url,
      WORK_MS: String(workMs),
      LOCK_MS: "1000",
    };
  }

  async function startReceiver(url = redisUrl): Promise<RunningExample> {
    return noted(await startApp(folder, environment(url)));
  }

  function startWorker(workMs = 0, url = redisUrl): Running {
    return noted(startProgram(folder, "worker.mjs", environment(url, workMs)));
  }

  function noted<Program extends Running>(program: Program): Program {
    running.add(program);
    return program;
  }

  /** Redis, through a network that can fail. */
  async function unreliably(): Promise<FlakyProxy & { readonly url: string }> {
    const proxy = await flakyProxy(redisPort);
    proxies.add(proxy);
    const url = new URL(redisUrl);
    url.host = `127.0.0.1:${proxy.port}`;
    return Object.assign(proxy, { url: url.href });
  }

  function jobs() {
    return queue.getJobs(["wait", "active", "delayed", "completed", "failed"]);
  }

  async function states(): Promise<string[]> {
    return Promise.all((await jobs()).map((job) => job.getState()));
  }

  /** As time would: nobody waits in a test for the 30 s of a claim whose process died. */
  async function expireClaim(id: string): Promise<void> {
    const [claim, ...others] = await redis.keys(`bull-bluum:${name}:*${id}`);
    expect(others).toEqual([]);
    await redis.pexpire(claim ?? "", 1);
  }

  it("stores an event once, and neither a duplicate nor a forgery", async () => {
    const app = await startReceiver();
    const event = order("ord_fresh", { id: "evt_fresh" });
    expect(await told(app, sign(event))).toEqual(RECEIVED);
    expect(await told(app, sign(event))).toEqual(DUPLICATE);
    const forged = sign(order("ord_forged"), "a secret of somebody else");
    expect(await told(app, forged)).toEqual([401, { error: { code: "signature_mismatch" } }]);
    expect((await jobs()).map((job) => job.id)).toEqual([`${name}/order.filled/evt_fresh`]);
  });

  it("stores an event once when many deliveries go to two processes", async () => {
    const apps = [await startReceiver(), await startReceiver()];
    const delivery = sign(order("ord_many"));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, place) => told(apps[place % 2] as RunningExample, delivery)),
    );
    for (const [status] of answers) expect([200, 503]).toContain(status);
    expect(answers.filter(([, body]) => body.received && !body.duplicate)).toHaveLength(1);
    expect(await jobs()).toHaveLength(1);
  });

  it("answers 503 while the queue fails, and stores the event at the retry", async () => {
    const app = await startReceiver();
    const delivery = sign(order("ord_refused"));
    // BullMQ reads this hash before it adds anything.
    await redis.set(`bull:${name}:meta`, "is no hash any more");
    expect(await told(app, delivery)).toEqual([503, { error: { code: "inbox_unavailable" } }]);
    expect(await redis.exists(`bull:${name}:wait`)).toBe(0);
    await redis.del(`bull:${name}:meta`);
    expect(await told(app, delivery)).toEqual(RECEIVED);
    expect(await jobs()).toHaveLength(1);
  });

  it("answers 503 within 10 s while Redis is away, and goes on when it is back", async () => {
    const proxy = await unreliably();
    await proxy.refuse();
    const app = await startReceiver(proxy.url);
    const worker = startWorker(0, proxy.url);
    for (const id of ["ord_early", "ord_late"]) {
      const delivery = sign(order(id));
      const sentAt = performance.now();
      expect(await told(app, delivery)).toEqual([503, { error: { code: "inbox_unavailable" } }]);
      expect(performance.now() - sentAt).toBeLessThan(10_000);
      await proxy.open();
      await expect.poll(() => told(app, delivery), { timeout: 30_000 }).toEqual(RECEIVED);
      await worker.says(new RegExp(`^booked ${id} at 2`, "m"));
      await proxy.refuse();
    }
  });

  it("answers 503 within 10 s while Redis hangs", async () => {
    const proxy = await unreliably();
    const app = await startReceiver(proxy.url);
    expect(await told(app, sign(order("ord_before")))).toEqual(RECEIVED);
    proxy.stall();
    const sentAt = performance.now();
    expect(await told(app, sign(order("ord_hung")))).toEqual([503, { error: { code: "inbox_unavailable" } }]);
    expect(performance.now() - sentAt).toBeLessThan(10_000);
  });

  it("books an event once whose app is killed between storing and the answer", async () => {
    const proxy = await unreliably();
    const app = await startReceiver(proxy.url);
    const delivery = sign(order("ord_crash", { id: "evt_crash" }));
    const answer = told(app, delivery).catch(() => "none");
    await proxy.hasSent("ord_crash");
    proxy.holdReplies(); // the queue has the event, and the app will never know
    await expect.poll(jobs, PATIENCE).toHaveLength(1);
    await app.kill();
    expect(await answer).toBe("none");

    const worker = startWorker();
    await worker.says(/^booked ord_crash at 2/m);
    const restarted = await startReceiver();
    expect(await told(restarted, delivery)).toEqual([503, { error: { code: "event_in_flight" } }]);
    await expireClaim("evt_crash");
    await expect.poll(async () => (await told(restarted, delivery))[0], PATIENCE).toBe(200);
    expect(await told(restarted, delivery)).toEqual(DUPLICATE);
    await expect.poll(states, PATIENCE).toEqual(["completed"]);
    const { output } = await worker.stop();
    expect(output.match(/^working on/gm)).toHaveLength(1);
  });

  it("loses no event when a worker is killed in a handler, and books none twice", inFull, async () => {
    const app = await startReceiver();
    const delivery = sign(order("ord_work", { id: "evt_work" }));
    expect(await told(app, delivery)).toEqual(RECEIVED);
    for (const attempt of exhaustive ? [1, 2] : [1]) {
      const worker = startWorker(60_000);
      await worker.says(new RegExp(`^working on ord_work, attempt ${attempt}$`, "m"));
      await worker.kill();
    }
    const worker = startWorker();
    await worker.says(/^booked ord_work at 2/m);
    await expect.poll(states, PATIENCE).toEqual(["completed"]);
    expect(await redis.hkeys(`${name}:booked`)).toContain("order.filled/evt_work");
    expect(await told(app, delivery)).toEqual(DUPLICATE);
    const { output } = await worker.stop();
    expect(output.match(/^working on/gm)).toHaveLength(1);
    expect(output).not.toContain("booked before");
  });

  it("does not run a handler again whose success was recorded, when its job runs twice", async () => {
    const app = await startReceiver();
    await told(app, sign(order("ord_twice", { id: "evt_twice" })));
    const worker = startWorker();
    await worker.says(/^booked ord_twice/m);
    await expect.poll(states, PATIENCE).toEqual(["completed"]);
    const [job] = await jobs();
    await job?.remove();
    await queue.add("order.filled", job?.data, { jobId: job?.id ?? "" });
    await expect.poll(states, PATIENCE).toEqual(["completed"]);
    const { output } = await worker.stop();
    expect(output.match(/^working on/gm)).toHaveLength(1);
  });

  it("exits in order when it is asked to, the worker after its event", async () => {
    const [app, worker] = [await startReceiver(), startWorker(300)];
    await told(app, sign(order("ord_last")));
    await worker.says(/^working on ord_last/m);
    for (const { code, output } of await Promise.all([worker.stop(), app.stop()])) {
      expect(code).toBe(0);
      expect(output).toMatch(/closed\n$/);
    }
    expect(await states()).toEqual(["completed"]);
  });

  it("lists exactly its imports in its package.json", () => {
    const files = ["app.mjs", "receiver.mjs", "worker.mjs"];
    const text = files.map((file) => readFileSync(`${folder}/${file}`, "utf8")).join("\n");
    const imported = [...text.matchAll(/from "((?!node:)[^."/][^"/]*)/g)].map(([, dependency]) => dependency);
    const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    expect(Object.keys(dependencies).sort()).toEqual([...new Set(imported)].sort());
  });
});

function order(id: string, envelope: object = {}) {
  return sampleEvent("order.filled", { ...envelope, data: { id, average_price: "212.50" } });
}

function sign(event: object, by: string = secret) {
  return signDelivery({ secret: by, event });
}

async function told({ url }: RunningExample, delivery: ReturnType<typeof sign>) {
  const response = await fetch(`${url}/webhooks/bluum`, delivery);
  return [response.status, await response.json()] as const;
}
