import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { BullmqWorkerClass } from "../../src/inbox/bullmq/types.ts";
import { describeEach } from "../exhaustive.ts";
import { findRedis, type RedisService } from "../services/redis.ts";
import { ioredis } from "../services/redis-clients.ts";
import {
  afterwards,
  freshInbox,
  MAJORS,
  type Major,
  majors,
  messageOf,
  PATIENCE,
  park,
  RETENTION,
  work,
} from "./bullmq-setup.ts";

const service = await findRedis();
const redis = service as RedisService;
const CHILD = join(import.meta.dirname, "bullmq-child.mjs");

afterAll(() => service?.stop());

/** A job, with the method that stores its result. */
interface StoredJob {
  readonly data: { readonly id: string };
  moveToCompleted(...results: unknown[]): Promise<unknown>;
}

/** A worker in a process of its own. */
interface Child {
  readonly process: ChildProcess;
  /** All that it has printed. */
  readonly lines: string[];
  readonly ended: Promise<unknown>;
}

function spawnWorker(major: Major, prefix: string): Child {
  const child = spawn(process.execPath, [CHILD, major, String(redis.port), prefix], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "exit");
  const lines: string[] = [];
  child.stdout.on("data", (bytes) => lines.push(...String(bytes).trim().split("\n")));
  afterwards(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { process: child, lines, ended };
}

function freshPrefix(): string {
  return `bluum-test-${randomUUID()}`;
}

/** A client to look at, and to damage, what BullMQ has stored. */
function admin() {
  const { client, close } = ioredis(redis.url);
  afterwards(async () => close());
  return client;
}

describeEach(describe.skipIf(!service).concurrent, majors)("workers of %s that die", (major) => {
  it("an event of a killed worker comes back, and the crash counts as an attempt", { timeout: 120_000 }, async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix });
    await inbox.add(messageOf("endless-1"), RETENTION);
    const child = spawnWorker(major, prefix);
    await vi.waitFor(() => expect(child.lines).toContain("run endless-1 1"), PATIENCE);
    child.process.kill("SIGKILL");
    await child.ended;
    const heir = work(inbox, () => Promise.reject(new Error("no luck")));
    await vi.waitFor(() => expect(heir.parked).toHaveLength(1), PATIENCE);
    expect(heir.runs.map(({ attempt }) => attempt.number)).toEqual([2, 3]);
    expect(heir.parked[0]).toMatchObject({ attempts: 3 });
    // The crashes before a redrive are forgotten.
    await inbox.redrive({ all: true });
    await vi.waitFor(() => expect(heir.parked).toHaveLength(2), PATIENCE);
    expect(heir.runs.slice(2).map(({ attempt }) => attempt.number)).toEqual([1, 2, 3]);
  });

  it("an event that kills each worker is parked, and takes no other with it", { timeout: 120_000 }, async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix, retry: { attempts: 3, backoffMs: 100 } });
    const others = Array.from({ length: 9 }, (_, number) => messageOf(`while-${number}`));
    for (const message of [messageOf("poison-1"), ...others]) await inbox.add(message, RETENTION);
    const lines: string[] = [];
    for (let restarts = 0; ; restarts += 1) {
      expect(restarts).toBeLessThan(5);
      const child = spawnWorker(major, prefix);
      await Promise.race([
        child.ended,
        vi.waitFor(() => expect(child.lines.join("\n")).toContain("parked"), { timeout: 30_000, interval: 10 }),
      ]);
      lines.push(...child.lines);
      if (child.lines.some((line) => line.startsWith("parked"))) break;
    }
    expect(lines.filter((line) => line.startsWith("run poison"))).toEqual([
      "run poison-1 1",
      "run poison-1 2",
      "run poison-1 3",
    ]);
    expect(lines).toContain(`parked ${messageOf("poison-1").key} 3`);
    await vi.waitFor(
      async () => expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, active: 0, parked: 1 }),
      PATIENCE,
    );
    expect((await inbox.parked()).events).toMatchObject([
      { id: "poison-1", attempts: 3, error: { message: "its worker died or froze while it ran" } },
    ]);
    expect(await inbox.redrive({ all: true })).toBe(1);
  });

  it("a crash is no attempt of an event that only waited for its turn", { timeout: 120_000 }, async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix, retry: { attempts: 4, backoffMs: 100 } });
    for (const id of ["endless-1", "while-1"]) await inbox.add(messageOf(id), RETENTION);
    // As after two crashes: it must run alone, and waits for the other.
    const job = `${prefix}:orders:${messageOf("while-1").key}`;
    const client = admin();
    await client.hset(job, "stc", "2", "progress", JSON.stringify({ stallsBefore: 0, stallsPaused: 2 }));
    const child = spawnWorker(major, prefix);
    await vi.waitFor(() => expect(child.lines).toContain("run endless-1 1"), PATIENCE);
    await vi.waitFor(async () => expect(await client.hget(job, "progress")).toContain("idleAt"), PATIENCE);
    child.process.kill("SIGKILL");
    await child.ended;
    const heir = work(inbox);
    await vi.waitFor(() => expect(heir.runs).toHaveLength(2), PATIENCE);
    expect(heir.runs.map(({ message, attempt }) => [message.id, attempt.number]).sort()).toEqual([
      ["endless-1", 2],
      ["while-1", 3],
    ]);
  });

  it("an event that may kill the worker waits until the results of the others are stored", async () => {
    const prefix = freshPrefix();
    const { Worker } = MAJORS[major];
    const order: string[] = [];
    /** A worker whose results take their time to be stored. */
    class SlowWorker extends (Worker as BullmqWorkerClass) {
      constructor(name: string, process: (job: StoredJob, token: string) => Promise<void>, options: never) {
        const slow = (job: StoredJob, token: string) => {
          const { moveToCompleted } = job;
          job.moveToCompleted = async (...results) => {
            await new Promise((resolve) => setTimeout(resolve, 200));
            const next = await moveToCompleted.apply(job, results);
            order.push(`stored ${job.data.id}`);
            return next;
          };
          return process(job, token);
        };
        super(name, slow as never, options);
      }
    }
    const inbox = freshInbox(major, redis, { prefix, Worker: SlowWorker, retry: { attempts: 4, backoffMs: 100 } });
    for (const id of ["first", "suspect"]) await inbox.add(messageOf(id), RETENTION);
    // As after two crashes.
    const job = `${prefix}:orders:${messageOf("suspect").key}`;
    await admin().hset(job, "stc", "2", "progress", JSON.stringify({ stallsBefore: 0, stallsPaused: 2 }));
    work(inbox, ({ id }) => void order.push(`run ${id}`));
    await vi.waitFor(() => expect(order).toHaveLength(4), PATIENCE);
    expect(order).toEqual(["run first", "stored first", "run suspect", "stored suspect"]);
  });

  it.each([
    ["is none of an event that was only fetched", {}, 3],
    ["is one of an event that had started", { startedAt: 2 }, 4],
  ])("a later crash %s", { timeout: 120_000 }, async (_, started, number) => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix, retry: { attempts: 4, backoffMs: 100 } });
    await inbox.add(messageOf("while-1"), RETENTION);
    // As after three crashes, of which the last has not been looked at.
    const job = `${prefix}:orders:${messageOf("while-1").key}`;
    await admin().hset(job, "stc", "3", "progress", JSON.stringify({ stallsBefore: 0, stallsPaused: 2, ...started }));
    const heir = work(inbox);
    await vi.waitFor(() => expect(heir.runs).toHaveLength(1), PATIENCE);
    expect(heir.runs.map(({ attempt }) => attempt.number)).toEqual([number]);
  });

  it("a frozen worker loses its event, and its late result counts for nothing", { timeout: 120_000 }, async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix });
    await inbox.add(messageOf("while-1"), RETENTION);
    const child = spawnWorker(major, prefix);
    await vi.waitFor(() => expect(child.lines).toContain("run while-1 1"), PATIENCE);
    child.process.kill("SIGSTOP");
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const heir = work(inbox, () => gate);
    await vi.waitFor(() => expect(heir.runs).toHaveLength(1), PATIENCE);
    child.process.kill("SIGCONT");
    await vi.waitFor(() => expect(child.lines).toContain("done while-1"), PATIENCE);
    await vi.waitFor(() => expect(child.lines.join("\n")).toMatch(/error .*lock/i), PATIENCE);
    expect(await inbox.stats()).toMatchObject({ active: 1, waiting: 0 });
    release();
    await vi.waitFor(async () => expect((await inbox.stats()).active).toBe(0), PATIENCE);
    expect(heir.runs.map(({ attempt }) => attempt.number)).toEqual([2]);
    expect(heir.errors).toEqual([]);
  });

  it("a message whose data is no JSON is parked, and others run", { timeout: 120_000 }, async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix });
    const damaged = messageOf("damaged");
    for (const message of [damaged, messageOf("sound")]) await inbox.add(message, RETENTION);
    await admin().hset(`${prefix}:orders:${damaged.key}`, "data", "secret, and no JSON");
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.parked).toHaveLength(1), { ...PATIENCE, timeout: 30_000 });
    expect(worker.runs.map(({ key }) => key)).toEqual([messageOf("sound").key]);
    expect(worker.parked[0]).toMatchObject({
      key: damaged.key,
      error: { message: "a message of the inbox is not JSON" },
    });
    expect((await inbox.parked()).events).toMatchObject([{ key: damaged.key, message: undefined }]);
    expect(inspect(worker.errors)).not.toContain("secret");
    expect(await inbox.discard({ type: "order.filled" })).toBe(1);
  });

  it("parked messages that are damaged are listed, redriven and discarded", async () => {
    const prefix = freshPrefix();
    const inbox = freshInbox(major, redis, { prefix });
    await park(inbox, [messageOf("a"), messageOf("b"), messageOf("c")]);
    await admin().hset(`${prefix}:orders:${messageOf("b").key}`, "data", "nonsense");
    await admin().hset(`${prefix}:orders:${messageOf("c").key}`, "data", '{"v":2}');
    const { events } = await inbox.parked();
    expect(events.map(({ message }) => message?.id)).toEqual(expect.arrayContaining(["a", undefined, undefined]));
    expect(events.map(({ key }) => key).sort()).toEqual(["a", "b", "c"].map((id) => messageOf(id).key));
    expect(events.every(({ type }) => type === "order.filled")).toBe(true);
    expect(await inbox.redrive({ keys: [messageOf("b").key] })).toBe(1);
    expect(await inbox.discard({ all: true })).toBe(2);
  });
});
