import { afterAll, describe, expect, it, vi } from "vitest";
import { ParkEvent } from "../../src/inbox/failure.ts";
import { describeEach } from "../exhaustive.ts";
import { findRedis, type RedisService } from "../services/redis.ts";
import { ioredis, redis6 } from "../services/redis-clients.ts";
import {
  afterwards,
  freshInbox,
  inboxAt,
  MAJORS,
  majors,
  messageOf,
  PATIENCE,
  park,
  RETENTION,
  work,
} from "./bullmq-setup.ts";

const service = await findRedis();
const redis = service as RedisService;

afterAll(() => service?.stop());

describeEach(describe.skipIf(!service), majors)("an inbox of %s", (major) => {
  it("runs what was added, as it was added", async () => {
    const inbox = freshInbox(major, redis);
    const message = messageOf("evt_1", { body: '{"n": 10.00, "s": "é\\u2028"}', headers: { "x-a": "b" } });
    expect(await inbox.add(message, RETENTION)).toBe("added");
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    expect(worker.runs[0]).toEqual({ key: message.key, attempt: { number: 1, of: 3 }, message });
    await vi.waitFor(
      async () =>
        expect(await inbox.stats()).toEqual({ waiting: 0, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 }),
      PATIENCE,
    );
  });

  it("one event is one message: the second copy is a duplicate, and the first data stays", async () => {
    const inbox = freshInbox(major, redis);
    await inbox.add(messageOf("evt_1", { body: "first" }), RETENTION);
    expect(await inbox.add(messageOf("evt_1", { body: "second" }), RETENTION)).toBe("duplicate");
    // Even where the dedupe store has lost the event.
    await inbox.store.forget?.(messageOf("evt_1").key);
    await inbox.add(messageOf("evt_1", { body: "third" }), RETENTION);
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.runs.map(({ message }) => message.body)).toEqual(["first"]), PATIENCE);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, parked: 0 });
  });

  it.each([0, 60_000])(
    "a processed event is a duplicate also after its job is gone (keepDoneMs %i)",
    async (keepDoneMs) => {
      const inbox = freshInbox(major, redis, { keepDoneMs });
      await inbox.add(messageOf("evt_1"), RETENTION);
      const worker = work(inbox);
      await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
      await vi.waitFor(async () => expect((await inbox.stats()).active).toBe(0), PATIENCE);
      expect(await inbox.add(messageOf("evt_1"), RETENTION)).toBe("duplicate");
      expect(await inbox.add(messageOf("evt_2"), RETENTION)).toBe("added");
      await vi.waitFor(() => expect(worker.runs).toHaveLength(2), PATIENCE);
    },
  );

  it("runs a processed event again once it is forgotten, although its job is still there", async () => {
    const inbox = freshInbox(major, redis);
    const message = messageOf("evt_1");
    await inbox.add(message, RETENTION);
    const worker = work(inbox);
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    await vi.waitFor(async () => expect((await inbox.stats()).active).toBe(0), PATIENCE);
    expect(await inbox.store.forget?.(message.key)).toBe(true);
    expect(await inbox.add(message, RETENTION)).toBe("added");
    await vi.waitFor(() => expect(worker.runs).toHaveLength(2), PATIENCE);
  });

  it.each(["evt:1", "123", "-5", "a:b:c", "0", "%3A", "%i123", "shop/a/b%"])("takes the key %s", async (key) => {
    const inbox = freshInbox(major, redis);
    await park(inbox, [messageOf("evt_1", { key })]);
    expect((await inbox.parked({ keys: [key] })).events).toMatchObject([{ key }]);
    expect(await inbox.discard({ keys: [key] })).toBe(1);
  });

  it("retries a failed run, then parks it with its error", async () => {
    const inbox = freshInbox(major, redis);
    await inbox.add(messageOf("evt_1"), RETENTION);
    const worker = work(inbox, () => {
      throw new Error(`no luck ${"x".repeat(2_000)}`);
    });
    await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
    expect(worker.runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3].map((number) => ({ number, of: 3 })));
    const error = { message: expect.stringMatching(/^no luck x{992}$/), stack: expect.stringContaining("no luck") };
    const notice = { key: messageOf("evt_1").key, type: "order.filled", attempts: 3, error };
    expect(worker.parked).toEqual([notice]);
    const { events, cursor } = await inbox.parked();
    expect(cursor).toBeUndefined();
    expect(events).toEqual([
      { ...notice, id: "evt_1", parkedAt: expect.any(Date), message: expect.objectContaining({ id: "evt_1" }) },
    ]);
    expect(events[0]?.error.stack?.length).toBeLessThanOrEqual(4_000);
    expect(Math.abs(Date.now() - Number(events[0]?.parkedAt))).toBeLessThan(10_000);
  });

  it("ParkEvent parks at once", async () => {
    const inbox = freshInbox(major, redis);
    await inbox.add(messageOf("evt_1"), RETENTION);
    const worker = work(inbox, () => {
      throw new ParkEvent("the order is unknown");
    });
    await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
    expect(worker.runs).toHaveLength(1);
    expect(worker.parked[0]).toMatchObject({ attempts: 1, error: { message: "the order is unknown" } });
    expect((await inbox.parked()).events[0]).toMatchObject({ attempts: 1 });
  });

  it.each([null, undefined, "text", Object.freeze(new Error("frozen")), { name: "DelayedError" }])(
    "a handler that throws %s fails like any other",
    async (thrown) => {
      const inbox = freshInbox(major, redis);
      await inbox.add(messageOf("evt_1"), RETENTION);
      const worker = work(inbox, () => Promise.reject(thrown));
      await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
      expect(worker.runs).toHaveLength(3);
      expect(worker.errors).toEqual([]);
    },
  );

  it("waits between the attempts, as long as it is told to", async () => {
    const inbox = freshInbox(major, redis, { retry: { attempts: 2, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 } });
    for (const id of ["1", "2", "3"]) await inbox.add(messageOf(id), RETENTION);
    const worker = work(inbox, () => Promise.reject(new Error("no luck")));
    await vi.waitFor(async () => expect((await inbox.stats()).delayed).toBe(3), PATIENCE);
    expect(worker.runs).toHaveLength(3);
  });

  it("a redriven event has all its attempts again", async () => {
    const inbox = freshInbox(major, redis);
    await park(inbox, [messageOf("evt_1")]);
    expect(await inbox.redrive({ keys: [messageOf("evt_1").key, "shop/x/unknown"] })).toBe(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, parked: 0 });
    expect((await inbox.stats()).oldestWaitingMs).toBeLessThan(5_000);
    const worker = work(inbox, () => Promise.reject(new Error("no luck")));
    await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
    expect(worker.runs.map(({ attempt }) => attempt.number)).toEqual([1, 2, 3]);
    expect(worker.parked[0]).toMatchObject({ attempts: 3 });
    expect(await inbox.redrive({ type: "order.filled" })).toBe(1);
  });

  it("a retry on one of BullMQ's dashboards runs the event once more", async () => {
    const inbox = freshInbox(major, redis, { prefix: `bluum-test-dashboard-${major.at(-1)}` });
    await park(inbox, [messageOf("evt_1")]);
    const { Queue } = MAJORS[major] as (typeof MAJORS)["bullmq 6"];
    const queue = new Queue("orders", {
      connection: { host: redis.host, port: redis.port },
      prefix: `bluum-test-dashboard-${major.at(-1)}`,
    });
    afterwards(() => queue.obliterate({ force: true }).then(() => queue.close()));
    const [job] = await queue.getFailed();
    await job?.retry();
    const worker = work(inbox, () => Promise.reject(new Error("no luck")));
    await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
    expect(worker.runs.map(({ attempt }) => attempt)).toEqual([{ number: 3, of: 3 }]);
    await inbox.store.forget?.(messageOf("evt_1").key);
  });

  it("redrives and discards only what is parked, and only what is selected", async () => {
    const inbox = freshInbox(major, redis);
    await park(inbox, [messageOf("a"), messageOf("b"), messageOf("c", { type: "transfer.failed" })]);
    await inbox.add(messageOf("waiting"), RETENTION);
    const waiting = { keys: [messageOf("waiting").key] };
    expect(await inbox.discard(waiting)).toBe(0);
    expect(await inbox.redrive(waiting)).toBe(0);
    expect(await inbox.discard({ type: "transfer.failed" })).toBe(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, parked: 2 });
    expect(await inbox.redrive({ keys: [messageOf("a").key, messageOf("a").key] })).toBe(1);
    expect(await inbox.discard({ all: true })).toBe(1);
    expect(await inbox.discard({ all: true })).toBe(0);
    await expect(inbox.redrive({} as never)).rejects.toMatchObject({ code: "configuration_invalid" });
    expect(await inbox.stats()).toMatchObject({ waiting: 2, parked: 0 });
  });

  it("lists in pages, the oldest first, also while events are redriven", { timeout: 60_000 }, async () => {
    const inbox = freshInbox(major, redis);
    const types = ["order.filled", "transfer.failed"];
    const messages = Array.from({ length: 250 }, (_, number) =>
      messageOf(String(number), { type: types[number % 2] ?? "" }),
    );
    await park(inbox, messages);
    const seen: string[] = [];
    const times: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await inbox.parked({ limit: 60, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.events.map(({ id }) => id));
      times.push(...page.events.map(({ parkedAt }) => parkedAt.getTime()));
      await inbox.discard({ keys: page.events.map(({ key }) => key).slice(0, 50) });
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    const rest = (await inbox.stats()).parked;
    const byType = await Promise.all(types.map((type) => inbox.parked({ type, limit: 1_000 })));
    expect(byType.map(({ events }) => events.length).reduce((sum, count) => sum + count)).toBe(rest);
    const keyed = await inbox.parked({ keys: byType.flatMap(({ events }) => events.map(({ key }) => key)), limit: 7 });
    expect(keyed.events).toHaveLength(7);
    for (const limit of [0, 1_001, 1.5])
      await expect(inbox.parked({ limit })).rejects.toMatchObject({ code: "configuration_invalid" });
    await expect(inbox.parked({ cursor: "x" })).rejects.toMatchObject({ code: "configuration_invalid" });
  });

  it("counts, and knows the age of the oldest waiting event", async () => {
    const inbox = freshInbox(major, redis);
    await inbox.add(messageOf("a"), RETENTION);
    await vi.waitFor(async () => expect((await inbox.stats()).oldestWaitingMs).toBeGreaterThan(50), PATIENCE);
    await inbox.add(messageOf("b"), RETENTION);
    const stats = await inbox.stats();
    expect(stats).toMatchObject({ waiting: 2, delayed: 0, active: 0, parked: 0 });
    expect(stats.oldestWaitingMs).toBeGreaterThan(50);
  });

  it("runs as many at once as it is told to", async () => {
    const inbox = freshInbox(major, redis);
    for (let number = 0; number < 8; number += 1) await inbox.add(messageOf(String(number)), RETENTION);
    let running = 0;
    let most = 0;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const worker = work(
      inbox,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await gate;
        running -= 1;
      },
      { concurrency: 3 },
    );
    await vi.waitFor(() => expect(running).toBe(3), PATIENCE);
    release();
    await vi.waitFor(() => expect(worker.runs).toHaveLength(8), PATIENCE);
    expect(most).toBe(3);
  });

  it("closing waits for what runs, and takes nothing new", async () => {
    const inbox = freshInbox(major, redis);
    for (const id of ["a", "b", "c"]) await inbox.add(messageOf(id), RETENTION);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const worker = work(inbox, () => gate, { concurrency: 1 });
    await vi.waitFor(() => expect(worker.runs).toHaveLength(1), PATIENCE);
    const closed = worker.close({ timeoutMs: 10_000 });
    release();
    await closed;
    expect(worker.runs).toHaveLength(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, active: 0, delayed: 0, parked: 0 });
    expect(worker.errors).toEqual([]);
  });

  it("closing gives back what takes too long, at once and at the cost of no attempt; its late result counts for nothing", async () => {
    const inbox = freshInbox(major, redis);
    for (const id of ["a", "b"]) await inbox.add(messageOf(id), RETENTION);
    let fail = (_error: Error) => {};
    const gate = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    const slow = work(inbox, () => gate, { concurrency: 2 });
    await vi.waitFor(() => expect(slow.runs).toHaveLength(2), PATIENCE);
    const start = Date.now();
    await slow.close({ timeoutMs: 50 });
    expect(Date.now() - start).toBeLessThan(2_000);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, active: 0, delayed: 0, parked: 0 });
    const heir = work(inbox);
    await vi.waitFor(() => expect(heir.runs).toHaveLength(2), PATIENCE);
    fail(new Error("late"));
    expect(heir.runs.map(({ attempt }) => attempt.number)).toEqual([1, 1]);
    await vi.waitFor(async () => expect((await inbox.stats()).active).toBe(0), PATIENCE);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, parked: 0 });
    expect([...slow.errors, ...heir.errors]).toEqual([]);
  });

  it("two inboxes of two names keep their events apart", async () => {
    const one = freshInbox(major, redis, { prefix: "bluum-test-names", name: `one-${major.at(-1)}` });
    const other = inboxAt(major, redis, { prefix: "bluum-test-names", name: `other-${major.at(-1)}` });
    expect(await one.add(messageOf("evt_1"), RETENTION)).toBe("added");
    expect(await other.add(messageOf("evt_1"), RETENTION)).toBe("added");
    afterwards(async () => {
      const { client, close } = ioredis(redis.url);
      for await (const keys of client.scanStream({ match: "bluum-test-names*", count: 10_000 }))
        if (keys.length > 0) await client.unlink(keys);
      await close();
    });
    expect(await one.stats()).toMatchObject({ waiting: 1 });
  });

  // BullMQ 5 takes no client of node-redis.
  it.each(major === "bullmq 6" ? ["ioredis", "node-redis"] : ["ioredis"])(
    "works on a client of %s that the user gives, and leaves it open",
    async (kind) => {
      const connected = kind === "ioredis" ? ioredis(redis.url, { maxRetriesPerRequest: null }) : redis6(redis.url);
      const client = connected.client as object as { ping(): Promise<string> };
      afterwards(async () => connected.close());
      const inbox = freshInbox(major, redis, { connection: client });
      await inbox.add(messageOf("evt_1"), RETENTION);
      const worker = work(inbox, () => Promise.reject(new Error("no luck")));
      await vi.waitFor(() => expect(worker.parked).toHaveLength(1), PATIENCE);
      expect((await inbox.parked()).events).toHaveLength(1);
      expect(await inbox.redrive({ all: true })).toBe(1);
      await worker.close();
      await inbox.close();
      expect(await client.ping()).toBe("PONG");
    },
  );

  it("refuses a client that BullMQ's Worker refuses, and options that cannot work", async () => {
    const { client, close } = ioredis(redis.url, { maxRetriesPerRequest: 3 });
    afterwards(async () => close());
    const invalid = expect.objectContaining({ code: "configuration_invalid" });
    expect(() => work(freshInbox(major, redis, { connection: client }))).toThrow(invalid);
    for (const options of [
      { name: "a:b" },
      { name: "" },
      { Queue: undefined },
      { Worker: {} },
      { connection: "redis://localhost" },
      { prefix: "" },
      { keepDoneMs: -1 },
      { lockMs: 1 },
      { warn: true },
      { retry: { attempts: 0 } },
      { orderBy: true },
    ])
      expect(() => inboxAt(major, redis, options as never), JSON.stringify(options)).toThrow(invalid);
  });

  it("keeps no order, and says so", () => {
    expect(freshInbox(major, redis).noOrder).toBe("BullMQ keeps an order only in its Pro edition");
  });
});
