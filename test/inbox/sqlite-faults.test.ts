import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { describeEach, exhaustive, inFull, runs } from "../exhaustive.ts";
import { anEvent, bench as receiving, signed } from "../pipeline/receiving.ts";
import { type Connection, engines } from "../stores/sqlite-engines.ts";
import { deliver } from "./provider.ts";
import { Bench, gate, messageOf, rows, TERMS } from "./sqlite-support.ts";

const HOUR_MS = 3_600_000;
const START_MS = 100 * 24 * HOUR_MS;

describeEach(describe, engines)("faults of the SQLite inbox on $name", (engine) => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench(engine);
  });

  afterEach(() => bench.close());

  describe("a database that another connection has locked", () => {
    it("makes add reject within timeoutMs, and leaves the event loop free", async () => {
      const inbox = bench.inbox({ timeoutMs: 200 });
      await inbox.add(messageOf("first"), TERMS);
      const other = bench.open();
      other.exec("BEGIN IMMEDIATE");
      let ticks = 0;
      const ticking = setInterval(() => {
        ticks += 1;
      }, 5);
      const adding = Array.from({ length: 20 }, (__, number) => inbox.add(messageOf(`event ${number}`), TERMS));
      const results = await Promise.allSettled(adding);
      clearInterval(ticking);
      expect(results.map((each) => (each as PromiseRejectedResult).reason?.code)).toEqual(
        Array.from({ length: 20 }, () => "store_unavailable"),
      );
      expect(ticks).toBeGreaterThan(5);
      expect(await inbox.add(messageOf("first"), TERMS)).toBe("duplicate");
      other.exec("ROLLBACK");
      expect(await inbox.add(messageOf("event 0"), TERMS)).toBe("added");
      expect(await inbox.stats()).toMatchObject({ waiting: 2 });
    });

    it("makes add wait, where the lock is short", async () => {
      const inbox = bench.inbox({ timeoutMs: 5_000 });
      const other = bench.open();
      other.exec("BEGIN IMMEDIATE");
      const adding = inbox.add(messageOf("a"), TERMS);
      setTimeout(() => other.exec("ROLLBACK"), 100);
      expect(await adding).toBe("added");
    });

    it("makes a worker wait without a busy loop, and lets it go on afterwards", async () => {
      const inbox = bench.inbox({ timeoutMs: 100 });
      const { opened, open } = gate();
      const { started, errors } = bench.work(inbox, () => opened);
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      const other = bench.open();
      other.exec("BEGIN IMMEDIATE");
      open();
      await vi.waitFor(() => expect(errors.length).toBeGreaterThan(2), { timeout: 10_000 });
      expect(errors).toEqual(errors.map(() => expect.objectContaining({ code: "store_unavailable" })));
      expect(await inbox.stats()).toMatchObject({ active: 1 });
      const found = errors.length;
      other.exec("ROLLBACK");
      await inbox.add(messageOf("b"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a", "b"]), { timeout: 10_000 });
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ active: 0, waiting: 0 }));
      expect(errors).toHaveLength(found);
    });

    it("makes a worker wait that finds it so at its start", async () => {
      const other = bench.open();
      const connection = bench.open();
      other.exec("CREATE TABLE something (x); BEGIN EXCLUSIVE");
      const inbox = sqliteInbox(connection, { timeoutMs: 50 });
      const { started, errors } = bench.work(inbox);
      await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0));
      other.exec("ROLLBACK");
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]), { timeout: 10_000 });
    });
  });

  describe.runIf(exhaustive)("a database that another connection has locked for ten seconds", inFull, () => {
    const LOCK_MS = 10_000;
    const TIMEOUT_MS = 2_000;

    /** Locks the file, and measures the process meanwhile. */
    async function lockFile() {
      const other = bench.open();
      other.exec("BEGIN IMMEDIATE");
      const cpu = process.cpuUsage();
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      await sleep(LOCK_MS);
      delay.disable();
      const { user, system } = process.cpuUsage(cpu);
      const releasedAt = performance.now();
      other.exec("ROLLBACK");
      return { releasedAt, cpuMs: (user + system) / 1_000, blockedMs: delay.max / 1e6 };
    }

    it("delays deliveries and loses none, and its worker runs each event once", { timeout: 60_000 }, async () => {
      const inbox = bench.inbox({ timeoutMs: TIMEOUT_MS });
      const { receiver } = receiving({ namespace: "bench", inbox });
      const { opened, open } = gate();
      const processed: string[] = [];
      receiver.on("*", async ({ id }) => {
        processed.push(id);
        await opened;
      });
      receiver.work({ pollMs: 20 });
      try {
        // Its handler ends under the lock.
        const before = anEvent();
        await deliver(receiver, signed(before));
        await vi.waitFor(() => expect(processed).toEqual([before.event_id]));
        const locked = lockFile();
        open();
        const events = Array.from({ length: 40 }, () => anEvent());
        const delivering = events.map(async (event, place) => {
          await sleep(place * 50);
          return deliver(receiver, signed(event));
        });
        const { releasedAt, cpuMs, blockedMs } = await locked;
        for (const answers of await Promise.all(delivering)) {
          const refused = answers.slice(0, -1);
          expect(refused.length).toBeGreaterThan(2);
          for (const { status, body } of refused) {
            expect({ status, body }).toEqual({ status: 503, body: '{"error":{"code":"inbox_unavailable"}}' });
          }
          for (const { sentAt, answeredAt } of answers) expect(answeredAt - sentAt).toBeLessThan(TIMEOUT_MS + 1_000);
          expect(answers.at(-1)).toMatchObject({ status: 200, body: '{"received":true}' });
          expect(answers.at(-1)?.answeredAt).toBeGreaterThan(releasedAt);
        }
        expect(blockedMs).toBeLessThan(TIMEOUT_MS / 2);
        expect(cpuMs).toBeLessThan(LOCK_MS / 5);
        const all = [before, ...events].map((event) => event.event_id).sort();
        await vi.waitFor(() => expect([...processed].sort()).toEqual(all), { timeout: 15_000 });
        const idle = { waiting: 0, delayed: 0, active: 0, parked: 0 };
        await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(idle), { timeout: 15_000 });
        expect([...processed].sort()).toEqual(all);
      } finally {
        await receiver.close({ timeoutMs: 0 });
      }
    });
  });

  describe("a full disk", () => {
    const large = (key: string) => messageOf(key, { body: "x".repeat(2_000) });

    function fill(connection: Connection): void {
      const [{ page_count: pages }] = rows(connection, "PRAGMA page_count") as [{ page_count: number }];
      connection.exec(`PRAGMA max_page_count = ${pages + 10}`);
    }

    it("makes add reject with nothing half-written, and ends", async () => {
      const connection = bench.open();
      const inbox = sqliteInbox(connection);
      const told = ["first"];
      await inbox.add(large("first"), TERMS);
      fill(connection);
      const addAll = async () => {
        for (let number = 0; number < 1_000; number += 1) {
          const key = `event ${number}`;
          if ((await inbox.add(large(key), TERMS)) === "added") told.push(key);
        }
      };
      await expect(addAll()).rejects.toThrow(/full/);
      const group = await Promise.allSettled([0, 1, 2].map((number) => inbox.add(large(`group ${number}`), TERMS)));
      for (const [number, { status }] of group.entries()) if (status === "fulfilled") told.push(`group ${number}`);
      expect(group.some(({ status }) => status === "rejected")).toBe(true);
      const keysOf = (sql: string) => rows(bench.open(), sql).map(({ key }) => key);
      expect(keysOf("SELECT key FROM bluum_webhook_inbox ORDER BY seq")).toEqual(told);
      expect(keysOf("SELECT key FROM bluum_webhook_events").sort()).toEqual([...told].sort());
      expect(await inbox.stats()).toMatchObject({ waiting: told.length });
      connection.exec("PRAGMA max_page_count = 1000000");
      expect(await inbox.add(large("last"), TERMS)).toBe("added");
    });

    it("does not end a worker", async () => {
      const connection = bench.open();
      const inbox = sqliteInbox(connection);
      const keys = Array.from({ length: 10 }, (__, number) => `event ${number}`);
      for (const key of keys) await inbox.add(messageOf(key), TERMS);
      const [{ page_count: pages }] = rows(connection, "PRAGMA page_count") as [{ page_count: number }];
      connection.exec(`PRAGMA max_page_count = ${pages}`);
      connection.exec("PRAGMA query_only = ON");
      const { started, errors } = bench.work(inbox);
      await vi.waitFor(() => expect(errors.length).toBeGreaterThan(1));
      expect(started).toEqual([]);
      connection.exec("PRAGMA max_page_count = 1000000");
      connection.exec("PRAGMA query_only = OFF");
      await vi.waitFor(() => expect(started).toEqual(keys), { timeout: 10_000 });
    });
  });

  it("rejects a message that cannot be stored, and no other of the same commit", async () => {
    const inbox = bench.inbox();
    const bad = { ...messageOf("bad"), type: undefined as unknown as string };
    const results = await Promise.allSettled(
      [messageOf("a"), bad, messageOf("b")].map((each) => inbox.add(each, TERMS)),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 2 });
  });

  it("keeps its worker's errors few while the connection is closed", async () => {
    const connection = engine.open(bench.file);
    connection.exec("PRAGMA synchronous = FULL");
    const inbox = sqliteInbox(connection);
    await inbox.add(messageOf("a"), TERMS);
    const { worker, errors } = bench.work(inbox, () => new Promise(() => {}));
    connection.close();
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(2), { timeout: 10_000 });
    await expect(inbox.add(messageOf("b"), TERMS)).rejects.toThrow();
    await worker.close({ timeoutMs: 50 });
    expect(errors.length).toBeLessThan(10);
  });

  describe("a clock that steps", () => {
    it("forth does not take an event from the worker that runs it", async () => {
      let time = START_MS;
      const inbox = bench.inbox({ now: () => time });
      const { opened, open } = gate();
      const { started } = bench.work(inbox, () => opened);
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      time += 24 * HOUR_MS;
      await inbox.add(messageOf("b"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a", "b"]));
      open();
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ active: 0, waiting: 0 }));
      expect(started).toEqual(["a", "b"]);
    });

    it("back does not keep an event from its retry, nor with a dead worker", async () => {
      let time = START_MS;
      const frozen = time;
      const retry = { backoffMs: 1_000, maxBackoffMs: 1_000 };
      const inbox = bench.inbox({ now: () => time, retry });
      for (const key of ["dead", "failing"]) await inbox.add(messageOf(key), TERMS);
      const dead = bench.work(bench.inbox({ now: () => frozen }), () => new Promise(() => {}), { concurrency: 1 });
      await vi.waitFor(() => expect(dead.started).toEqual(["dead"]));
      const { started } = bench.work(inbox, ({ key }, { number }) => {
        if (key === "failing" && number === 1) throw new Error("not yet");
      });
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ delayed: 1, active: 1 }));
      time -= 24 * HOUR_MS;
      await vi.waitFor(() => {
        // The clock goes on from there.
        time += 2_000;
        expect([...started].sort()).toEqual(["dead", "failing", "failing"]);
      }, 10_000);
      expect(time).toBeLessThan(START_MS - 23 * HOUR_MS);
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ active: 0, waiting: 0, delayed: 0 }));
    });
  });

  it("has an idle worker that uses next to nothing of the processor", async () => {
    const inbox = bench.inbox();
    bench.work(inbox, undefined, { pollMs: 1_000 });
    await inbox.add(messageOf("a"), TERMS);
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ waiting: 0, active: 0 }));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { user, system } = process.cpuUsage(before);
    // 1 % would be 20 ms. The test runner has its share.
    expect((user + system) / 1_000).toBeLessThan(100);
  });

  it("never reads more rows than it needs, by the plans of all its statements", async () => {
    const connection = bench.open();
    const statements = new Set<string>();
    const prepare = connection.prepare.bind(connection);
    Object.defineProperty(connection, "prepare", {
      value(sql: string) {
        statements.add(sql);
        return prepare(sql);
      },
    });
    const inbox = sqliteInbox(connection, { retry: { attempts: 2, backoffMs: 1, maxBackoffMs: 1 } });
    for (const key of ["a", "b", "c"]) await inbox.add(messageOf(key, { orderingKey: "k" }), TERMS);
    const { worker, parked } = bench.work(inbox, ({ key }) => {
      if (key !== "c") throw new Error("no");
    });
    await vi.waitFor(() => expect(parked).toHaveLength(2));
    await worker.close();
    for (const query of [{}, { type: "x" }, { keys: ["x"] }, { keys: ["x"], type: "x" }]) await inbox.parked(query);
    await inbox.redrive({ keys: ["a"] });
    await inbox.discard({ all: true });
    await inbox.stats();
    const ours = [...statements].filter((sql) => /bluum_webhook_inbox/.test(sql) && !/^PRAGMA/.test(sql));
    expect(ours.length).toBeGreaterThan(20);
    const scans = ours.flatMap((sql) => {
      const values = Array.from(sql.matchAll(/\?/g), () => 1);
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
      const bad = plan.filter(({ detail }) => /SCAN (TABLE )?bluum_webhook_inbox( |$)|TEMP B-TREE/.test(detail));
      return bad.map(({ detail }) => `${detail}: ${sql}`);
    });
    // Sorting is for the page of given keys only.
    expect(scans.filter((scan) => !/TEMP B-TREE.*json_each/s.test(scan))).toEqual([]);
  });

  it("takes as long with many waiting events as with few", { ...inFull, timeout: 180_000 }, async () => {
    const connection = bench.open();
    const inbox = sqliteInbox(connection);
    await inbox.stats();
    const timed = async (name: string) => {
      const startedAt = performance.now();
      for (let number = 0; number < 50; number += 1) await inbox.add(messageOf(`${name} ${number}`), TERMS);
      await inbox.stats();
      const { worker, started } = bench.work(inbox, undefined, { concurrency: 1 });
      await vi.waitFor(() => expect(started.length).toBeGreaterThan(50), { timeout: 10_000, interval: 5 });
      await worker.close();
      return performance.now() - startedAt;
    };
    await inbox.add(messageOf("one more"), TERMS);
    const few = await timed("few");
    const many = runs(20_000, 200_000);
    connection.exec(
      `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ${many})
       INSERT INTO bluum_webhook_inbox (key, id, type, ordering_key, state, attempts, accepted_at, message)
       SELECT 'old ' || number, 'id', 'type', CASE WHEN number % 2 THEN 'k' || number END, 'waiting', 0, 0, '{}' FROM numbers`,
    );
    const ratio = (await timed("many")) / few;
    // Generous, since the disk is shared: a scan would take a hundred times as long.
    expect(ratio).toBeLessThan(10);
    expect(await inbox.stats()).toMatchObject({ parked: 0 });
  });
});
