import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { describeEach } from "../exhaustive.ts";
import { canStartRedis, type PrivateRedis, startRedis } from "../services/redis.ts";
import { ioredis } from "../services/redis-clients.ts";
import { afterwards, inboxAt, majors, messageOf, PATIENCE, RETENTION, work } from "./bullmq-setup.ts";

const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];
/** Longer than the inbox waits for Redis at most: for the claim, then for the queue. */
const BOUND_MS = 8_000;

const installed = await canStartRedis();

async function own(...args: string[]): Promise<PrivateRedis> {
  const started = await startRedis(...args);
  afterwards(() => started.stop());
  return started;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const start = Date.now();
  const error = await promise.then(
    (value) => expect.unreachable(`it was ${value}`),
    (thrown: unknown) => thrown,
  );
  expect(Date.now() - start).toBeLessThan(BOUND_MS);
  return error;
}

// All at once: they wait for timeouts most of the time.
describeEach(describe.skipIf(!installed).concurrent, majors)("%s and a Redis that fails", (major) => {
  it("while Redis is away adding fails in time; after its restart nothing is lost and the worker goes on", async () => {
    const redis = await own(...DURABLE);
    const inbox = inboxAt(major, redis, {});
    await inbox.add(messageOf("before"), RETENTION);
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    const idle = inboxAt(major, redis, { name: "idle" });
    await idle.add(messageOf("kept"), RETENTION);
    await redis.kill();
    for (let round = 0; round < 3; round += 1) await rejection(inbox.add(messageOf("refused"), RETENTION));
    await rejection(inbox.stats());
    await redis.restart();
    await vi.waitFor(async () => expect(await inbox.add(messageOf("after"), RETENTION)).toBe("added"), PATIENCE);
    await vi.waitFor(() => expect(worker.runs.map(({ message }) => message.id)).toContain("after"), PATIENCE);
    expect(worker.runs.map(({ message }) => message.id)).not.toContain("refused");
    expect(await idle.stats()).toMatchObject({ waiting: 1 });
    expect(await idle.add(messageOf("kept"), RETENTION)).toBe("duplicate");
    expect(await inbox.add(messageOf("refused"), RETENTION)).toBe("added");
    await vi.waitFor(() => expect(worker.runs.map(({ message }) => message.id)).toContain("refused"), PATIENCE);
  }, 60_000);

  it("a run that ends while Redis is away still counts, once Redis is back in time", async () => {
    const redis = await own(...DURABLE);
    const inbox = inboxAt(major, redis, { lockMs: 30_000 });
    await inbox.add(messageOf("evt_1"), RETENTION);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const worker = work(inbox, () => gate);
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    await redis.kill();
    release();
    await redis.restart();
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ active: 0, waiting: 0, parked: 0 }), {
      timeout: 30_000,
      interval: 50,
    });
    expect(worker.runs).toHaveLength(1);
  }, 60_000);

  it("an inbox that is made while Redis is away works once it is there", async () => {
    const redis = await own(...DURABLE);
    await redis.kill();
    const inbox = inboxAt(major, redis, {});
    const worker = work(inbox);
    await rejection(inbox.add(messageOf("refused"), RETENTION));
    await redis.restart();
    await vi.waitFor(async () => expect((await inbox.stats()).active).toBe(0), PATIENCE);
    // No claim of the refused one was sent late: it would stand for 30 s.
    const { key } = messageOf("refused");
    expect(await inbox.store.claim(key, { token: "another", leaseMs: 1_000 })).toMatchObject({ status: "claimed" });
    await vi.waitFor(async () => expect(await inbox.add(messageOf("evt_1"), RETENTION)).toBe("added"), PATIENCE);
    await vi.waitFor(() => expect(worker.runs.map(({ message }) => message.id)).toEqual(["evt_1"]), {
      timeout: 30_000,
      interval: 20,
    });
  }, 60_000);

  it("a Redis that hangs makes adding fail in time, and closing too", async () => {
    const redis = await own(...DURABLE);
    const inbox = inboxAt(major, redis, {});
    await inbox.add(messageOf("evt_1"), RETENTION);
    const worker = work(inbox, () => new Promise(() => {}));
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    redis.freeze();
    await rejection(inbox.add(messageOf("evt_2"), RETENTION));
    const start = Date.now();
    await worker.close({ timeoutMs: 100 });
    expect(Date.now() - start).toBeLessThan(15_000);
    redis.thaw();
  }, 60_000);

  it("closing while Redis is away ends in time", async () => {
    const redis = await own(...DURABLE);
    const inbox = inboxAt(major, redis, {});
    await inbox.add(messageOf("evt_1"), RETENTION);
    const worker = work(inbox, () => new Promise(() => {}));
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    await redis.kill();
    const start = Date.now();
    await worker.close({ timeoutMs: 100 });
    await inbox.close();
    expect(Date.now() - start).toBeLessThan(15_000);
    // A connection that is still trying would be seen by a server that comes back.
    await redis.restart();
    const { client, close } = ioredis(redis.url);
    afterwards(async () => close());
    for (let round = 0; round < 15; round += 1) {
      expect(
        String(await client.client("LIST"))
          .trim()
          .split("\n"),
      ).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }, 60_000);

  it("an inbox that never saw its Redis can be closed", async () => {
    const redis = await own(...DURABLE);
    await redis.kill();
    const inbox = inboxAt(major, redis, {});
    const worker = work(inbox);
    await rejection(inbox.add(messageOf("refused"), RETENTION));
    const start = Date.now();
    await worker.close({ timeoutMs: 100 });
    await inbox.close();
    expect(Date.now() - start).toBeLessThan(15_000);
  }, 60_000);

  it("a worker that cannot start is started again", async () => {
    const redis = await own(...DURABLE);
    const { client, close } = ioredis(redis.url);
    afterwards(async () => close());
    await client.acl("SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-info");
    const login = { username: "app", password: "secret", enableReadyCheck: false };
    const inbox = inboxAt(major, redis, { connection: { host: redis.host, port: redis.port, ...login } });
    await inbox.add(messageOf("evt_1"), RETENTION);
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.errors.join()).toContain("NOPERM"), PATIENCE);
    await client.acl("SETUSER", "app", "+info");
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
  }, 60_000);

  it("a full Redis refuses, and its error holds no payload", async () => {
    const redis = await own(...DURABLE);
    const inbox = inboxAt(major, redis, {});
    await inbox.add(messageOf("evt_1"), RETENTION);
    const { client, close } = ioredis(redis.url);
    afterwards(async () => close());
    // Lets the claim pass, and refuses the job.
    const used = Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
    await client.config("SET", "maxmemory", String(used + 400_000), "maxmemory-policy", "noeviction");
    const errors: unknown[] = [];
    for (let number = 0; errors.length < 3 && number < 200; number += 1) {
      const body = `the payload ${"x".repeat(50_000)}`;
      await inbox.add(messageOf(`full-${number}`, { body }), RETENTION).catch((error: unknown) => errors.push(error));
    }
    expect(errors).toHaveLength(3);
    expect(inspect(errors, { depth: 10, showHidden: true })).not.toContain("the payload");
    expect(inspect(errors[0], { depth: 10 })).toContain("OOM");
    await client.config("SET", "maxmemory", "0");
    expect(await inbox.add(messageOf("evt_2"), RETENTION)).toBe("added");
  });

  it("warns once of a Redis that can lose events", async () => {
    const warn = vi.fn();
    const lossy = await own("--maxmemory-policy", "allkeys-lru");
    const inbox = inboxAt(major, lossy, { warn });
    for (const id of ["a", "b"]) await inbox.add(messageOf(id), RETENTION);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce(), PATIENCE);
    expect(warn).toHaveBeenCalledWith(
      "bluum-webhooks: this Redis can lose events that were answered with 2xx: it has no append-only file (appendonly yes), and " +
        "its maxmemory-policy is allkeys-lru, not noeviction. Change that, or give bullmqInbox the option warn: false.",
    );
  });

  it("does not warn of a durable Redis, nor where INFO is forbidden", async () => {
    const redis = await own(...DURABLE);
    const warn = vi.fn();
    const inbox = inboxAt(major, redis, { warn });
    await inbox.add(messageOf("a"), RETENTION);
    const lossy = await own();
    const { client, close } = ioredis(lossy.url);
    afterwards(async () => close());
    await client.acl("SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-info");
    const connection = { host: lossy.host, port: lossy.port, username: "app", password: "secret" };
    const limited = inboxAt(major, lossy, { connection: { ...connection, enableReadyCheck: false }, warn });
    await limited.add(messageOf("a"), RETENTION);
    // The replies to later commands come after the reply to INFO.
    await Promise.all([inbox.stats(), limited.stats()]);
    expect(warn).not.toHaveBeenCalled();
  });
});
