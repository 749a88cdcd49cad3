import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { Queue } from "bullmq";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventKey } from "../../src/pipeline/identity.ts";
import { sampleEvent, signDelivery } from "../../src/testing/index.ts";
import { ROOT } from "../docs/markdown.ts";
import { exhaustive, runs } from "../exhaustive.ts";
import { type FlakyProxy, flakyProxy } from "../services/flaky-proxy.ts";
import { findRedis } from "../services/redis.ts";
import { character } from "../unicode.ts";
import { installed, type Running, type RunningExample, startApp, startProgram } from "./programs.ts";

const secret = "the secret of the queue's endpoint";
const name = `test-${randomBytes(8).toString("hex")}`;
const service = await findRedis();

describe.skipIf(!service)("examples/queue", () => {
  const { url: redisUrl = "", port: redisPort = 0 } = service ?? {};
  const running = new Set<Running>();
  const proxies = new Set<FlakyProxy>();
  let folder: string;
  let redis: Redis;
  let queue: Queue;

  beforeAll(() => {
    if (!existsSync(`${ROOT}dist/src/stores/redis.js`)) throw new Error("dist is missing: run `npm run build` first");
    folder = installed("queue");
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
    await deleteKeys(`bull:${name}:*`, `bluum:${name}/*`, `${name}:*`);
    redis?.disconnect();
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startReceiver(url = redisUrl): Promise<RunningExample> {
    return noted(await startApp(folder, { BLUUM_WEBHOOK_SECRET: secret, QUEUE: name, REDIS_URL: url }));
  }

  function startWorker(workMs: number): Running {
    const env = { QUEUE: name, REDIS_URL: redisUrl, WORK_MS: String(workMs), LOCK_MS: "1000" };
    return noted(startProgram(folder, "worker.mjs", env));
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

  async function deleteKeys(...patterns: string[]): Promise<void> {
    for (const pattern of patterns) {
      for await (const keys of redis.scanStream({ match: pattern, count: 1_000 })) {
        if (keys.length > 0) await redis.del(...keys);
      }
    }
  }

  it("adds an event to the queue under its key, and neither a duplicate nor a forgery", async () => {
    const app = await startReceiver();
    const event = order("ord_fresh", { id: "evt_fresh" });
    expect(await told(app, sign(event))).toEqual([200, { received: true }]);
    expect(await told(app, sign(event))).toEqual([200, { received: true, duplicate: true }]);
    const forged = sign(order("ord_forged"), "a secret of somebody else");
    expect(await told(app, forged)).toEqual([401, { error: { code: "signature_mismatch" } }]);

    const [job, ...others] = await jobs();
    expect(others).toEqual([]);
    expect(job?.id).toBe("order.filled/evt_fresh");
    expect(job?.data).toEqual({ id: "evt_fresh", payload: event });
  });

  it("uses the hash of the body as job id for events without an id", async () => {
    const app = await startReceiver();
    for (const id of ["ord_1", "ord_2"]) expect(await told(app, sign(order(id)))).toEqual([200, { received: true }]);
    const ids = (await jobs()).map((job) => job.id);
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(id).toMatch(/^order\.filled\/sha256-[0-9a-f]{64}$/);
  });

  it("adds one job when many deliveries go to two processes", async () => {
    const apps = [await startReceiver(), await startReceiver()];
    const delivery = sign(order("ord_many"));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, place) => told(apps[place % 2] as RunningExample, delivery)),
    );
    for (const [status] of answers) expect([200, 503]).toContain(status);
    expect(answers.filter(([, body]) => body.received && !body.duplicate)).toHaveLength(1);
    expect(await jobs()).toHaveLength(1);
  });

  it("answers 5xx while the queue fails, and adds the job at the retry", async () => {
    const app = await startReceiver();
    const delivery = sign(order("ord_refused"));
    // BullMQ reads this hash before it adds anything.
    await redis.set(`bull:${name}:meta`, "is no hash any more");
    expect(await told(app, delivery)).toEqual([500, { error: { code: "handler_failed" } }]);
    expect(await redis.exists(`bull:${name}:wait`)).toBe(0);
    await redis.del(`bull:${name}:meta`);
    expect(await told(app, delivery)).toEqual([200, { received: true }]);
    expect(await jobs()).toHaveLength(1);
  });

  it("answers 503 while Redis is away, and goes on when it is back", async () => {
    const proxy = await unreliably();
    await proxy.refuse();
    const app = await startReceiver(proxy.url);
    const unavailable = [503, { error: { code: "store_unavailable" } }];
    const [early, late] = [sign(order("ord_early")), sign(order("ord_late"))];
    expect(await told(app, early)).toEqual(unavailable);
    await proxy.open();
    await expect.poll(() => told(app, early), { timeout: 10_000 }).toEqual([200, { received: true }]);
    await proxy.refuse();
    expect(await told(app, late)).toEqual(unavailable);
    await proxy.open();
    await expect.poll(() => told(app, late), { timeout: 10_000 }).toEqual([200, { received: true }]);
    expect(await jobs()).toHaveLength(2);
  });

  it.runIf(exhaustive)("adds no second job when it is killed between the job and the completion", async () => {
    const proxy = await unreliably();
    const app = await startReceiver(proxy.url);
    const delivery = sign(order("ord_crash", { id: "evt_crash" }));
    const answer = told(app, delivery).catch(() => "none");
    await proxy.hasSent("ord_crash");
    proxy.holdReplies(); // the queue has the job, and the app will never know
    await expect.poll(jobs).toHaveLength(1);
    await app.kill();
    expect(await answer).toBe("none");

    const worker = startWorker(0);
    await worker.says(/^booked ord_crash at 2/m);
    const restarted = await startReceiver();
    const held = await told(restarted, delivery);
    expect(held).toEqual([503, { error: { code: "event_in_flight" } }]);
    await redis.pexpire(`bluum:${name}/order.filled/evt_crash`, 1); // as time would, 30 s after the crash
    await expect.poll(() => told(restarted, delivery)).toEqual([200, { received: true }]);
    expect(await told(restarted, delivery)).toEqual([200, { received: true, duplicate: true }]);

    const [job, ...others] = await jobs();
    expect(others).toEqual([]);
    expect(await job?.getState()).toBe("completed");
    const { output } = await worker.stop();
    expect(output.match(/^working on/gm)).toHaveLength(1);
  });

  it.runIf(exhaustive)("loses no job when a worker is killed", async () => {
    const app = await startReceiver();
    expect(await told(app, sign(order("ord_work", { id: "evt_work" })))).toEqual([200, { received: true }]);
    for (const _time of [1, 2]) {
      const worker = startWorker(60_000);
      await worker.says(/^working on ord_work$/m);
      await worker.kill();
    }
    const worker = startWorker(0);
    await worker.says(/^booked ord_work at 2/m);
    await expect.poll(async () => (await queue.getJob("order.filled/evt_work"))?.getState()).toBe("completed");
    expect(Object.keys(await redis.hgetall(`${name}:booked`))).toContain("order.filled/evt_work");
  });

  it("books an order once when its job runs twice", async () => {
    const app = await startReceiver();
    const delivery = sign(order("ord_twice", { id: "evt_twice" }));
    await told(app, delivery);
    const worker = startWorker(0);
    await worker.says(/^booked ord_twice/m);
    const job = await queue.getJob("order.filled/evt_twice");
    await expect.poll(() => job?.getState()).toBe("completed");
    await job?.remove();
    await queue.add("order.filled", job?.data, { jobId: "order.filled/evt_twice" });
    await worker.says(/^ord_twice was booked before$/m);
  });

  it("exits in order when it is asked to, the worker after its job", async () => {
    const [app, worker] = [await startReceiver(), startWorker(300)];
    await told(app, sign(order("ord_last")));
    await worker.says(/^working on ord_last$/m);
    for (const { code, output } of await Promise.all([worker.stop(), app.stop()])) {
      expect(code).toBe(0);
      expect(output).toMatch(/closed\n$/);
    }
    const [job] = await jobs();
    expect(await job?.getState()).toBe("completed");
  });

  it("lists exactly its imports in its package.json", () => {
    const text = ["app.mjs", "worker.mjs"].map((file) => readFileSync(`${folder}/${file}`, "utf8")).join("\n");
    const imported = [...text.matchAll(/from "((?!node:)[^."/][^"/]*)/g)].map(([, dependency]) => dependency);
    const { dependencies } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    expect(Object.keys(dependencies).sort()).toEqual([...new Set(imported)].sort());
  });

  it("uses event keys that BullMQ accepts as job ids, for any type and id", async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1, unit: character }),
      fc.nat().map(String),
    );
    const hash = fc.stringMatching(/^sha256:[0-9a-f]{64}$/);
    await fc.assert(
      fc.asyncProperty(text, fc.oneof(text, hash, fc.constantFrom("0", "a:b:c", "a:b")), async (type, id) => {
        const jobId = eventKey(type, id);
        for (const data of ["first", "second"]) expect((await queue.add("job", data, { jobId })).id).toBe(jobId);
        expect((await queue.getJob(jobId))?.data).toBe("first");
        await queue.remove(jobId);
      }),
      { numRuns: runs(20, 1_000) },
    );
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
