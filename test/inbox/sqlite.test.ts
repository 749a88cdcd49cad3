import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ParkEvent } from "../../src/inbox/failure.ts";
import type { SqliteInboxOptions } from "../../src/inbox/sqlite/options.ts";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { describeEach, inFull } from "../exhaustive.ts";
import { manualClock } from "../stores/clock.ts";
import { type Connection, type Engine, engines } from "../stores/sqlite-engines.ts";
import { Bench, gate, type Handle, LOCK_EXPIRED_MS, messageOf, RETENTION_MS, rows, TERMS } from "./sqlite-support.ts";

/** Retries come at once. */
const QUICK = { retry: { attempts: 3, backoffMs: 1, maxBackoffMs: 1 } };
const EMPTY = { waiting: 0, delayed: 0, active: 0, parked: 0, oldestWaitingMs: 0 };

describeEach(describe, engines)("the SQLite inbox on $name", (engine) => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench(engine);
  });

  afterEach(() => {
    vi.useRealTimers();
    return bench.close();
  });

  describe("add", () => {
    it("stores a message and remembers the event in one commit", async () => {
      const connection = bench.open();
      const inbox = sqliteInbox(connection);
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("added");
      expect(await inbox.store.claim("a", { token: "another", leaseMs: 1_000 })).toEqual({ status: "completed" });
      const other = bench.open();
      expect(rows(other, "SELECT key, state FROM bluum_webhook_inbox")).toEqual([{ key: "a", state: "waiting" }]);
      expect(rows(other, "SELECT key FROM bluum_webhook_events")).toEqual([{ key: "a" }]);
    });

    it("finds a duplicate, also on another connection and after the event was processed", async () => {
      const inbox = bench.inbox();
      const peer = bench.inbox();
      await inbox.add(messageOf("a"), TERMS);
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("duplicate");
      expect(await peer.add(messageOf("a"), TERMS)).toBe("duplicate");
      const { started } = bench.work(inbox);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
      expect(await peer.add(messageOf("a"), TERMS)).toBe("duplicate");
    });

    it("runs a processed event anew once the store has forgotten it", async () => {
      const inbox = bench.inbox();
      const { started } = bench.work(inbox);
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
      await inbox.store.forget("a");
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("added");
      await vi.waitFor(() => expect(started).toEqual(["a", "a"]));
    });

    it("finds a duplicate of an event that is not done, although the store has forgotten it, and remembers it again", async () => {
      const inbox = bench.inbox(QUICK);
      await inbox.add(messageOf("a"), TERMS);
      await inbox.store.forget("a");
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("duplicate");
      expect(await inbox.store.claim("a", { token: "another", leaseMs: 1_000 })).toEqual({ status: "completed" });
      const { parked } = bench.work(inbox, () => Promise.reject(new ParkEvent("no")));
      await vi.waitFor(() => expect(parked).toHaveLength(1));
      await inbox.store.forget("a");
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("duplicate");
    });

    it("rejects while another receiver holds a claim on the event", async () => {
      const inbox = bench.inbox();
      await inbox.store.claim("a", { token: "another", leaseMs: 10_000 });
      const adding = inbox.add(messageOf("a"), TERMS);
      await expect(adding).rejects.toMatchObject({ code: "event_in_flight", retryAfterMs: expect.any(Number) });
      expect(await inbox.stats()).toEqual(EMPTY);
    });

    it("of many who add one event at once one adds it", async () => {
      const inboxes = [bench.inbox(), bench.inbox(), bench.inbox()];
      const adding = Array.from({ length: 30 }, (_, turn) => inboxes[turn % 3]?.add(messageOf("a"), TERMS));
      const results = await Promise.all(adding);
      expect(results.filter((result) => result === "added")).toHaveLength(1);
    });

    it("refuses more than maxWaiting, until some are processed", async () => {
      const inbox = bench.inbox({ maxWaiting: 2 });
      await inbox.add(messageOf("a"), TERMS);
      await inbox.add(messageOf("b"), TERMS);
      await expect(inbox.add(messageOf("c"), TERMS)).rejects.toMatchObject({
        name: "WebhookError",
        code: "inbox_full",
      });
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("duplicate");
      expect(await inbox.store.claim("c", { token: "another", leaseMs: 1 })).toEqual({ status: "claimed" });
      await inbox.store.release("c", { token: "another" });
      bench.work(inbox);
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
      expect(await inbox.add(messageOf("c"), TERMS)).toBe("added");
    });

    it("rejects inside a transaction of the caller's", async () => {
      const connection = bench.open();
      const inbox = sqliteInbox(connection);
      connection.exec("BEGIN");
      await expect(inbox.add(messageOf("a"), TERMS)).rejects.toMatchObject({ code: "store_unavailable" });
      connection.exec("ROLLBACK");
      expect(await inbox.add(messageOf("a"), TERMS)).toBe("added");
    });

    it("hands over what was stored, whatever is in it", async () => {
      const inbox = bench.inbox();
      const body = JSON.stringify({ text: `\u0000 \ud800 é 😀 ${"x".repeat(1_048_576)}` });
      const message = messageOf("a", { body, headers: { "x-a": "é" }, orderingKey: "k", traceparent: "00-1-2-01" });
      await inbox.add(message, TERMS);
      const seen: unknown[] = [];
      bench.work(inbox, (stored) => seen.push(stored));
      await vi.waitFor(() => expect(seen).toEqual([message]));
    });
  });

  describe("a worker", () => {
    it("runs events in order of acceptance, of this process at once", async () => {
      const inbox = bench.inbox();
      const { started } = bench.work(inbox, undefined, { pollMs: 60_000 });
      const keys = Array.from({ length: 50 }, (_, number) => `event ${number}`);
      for (const key of keys) await inbox.add(messageOf(key), TERMS);
      await vi.waitFor(() => expect(started).toEqual(keys));
    });

    it("is woken by another inbox on the same connection, and finds by polling what others add", async () => {
      const connection = bench.open();
      const { started } = bench.work(sqliteInbox(connection), undefined, { pollMs: 60_000 });
      await sqliteInbox(connection).add(messageOf("near"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["near"]));
      const polling = bench.work(bench.inbox({ table: "other" }));
      await bench.inbox({ table: "other" }).add(messageOf("far"), TERMS);
      await vi.waitFor(() => expect(polling.started).toEqual(["far"]));
    });

    it("leaves others their turns of the event loop, although its handlers have nothing to do", async () => {
      const inbox = bench.inbox();
      const keys = Array.from({ length: 300 }, (_, number) => `event ${number}`);
      await Promise.all(keys.map((key) => inbox.add(messageOf(key), TERMS)));
      const { started } = bench.work(inbox, undefined, { concurrency: 1 });
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(started.length).toBeLessThan(300);
    });

    it("runs at most `concurrency` events at once", async () => {
      const inbox = bench.inbox();
      for (let number = 0; number < 20; number += 1) await inbox.add(messageOf(`event ${number}`), TERMS);
      let running = 0;
      let most = 0;
      const handle = async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
      };
      bench.work(inbox, handle, { concurrency: 3 });
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
      expect(most).toBe(3);
    });

    it("retries an event that fails, and parks it after the last attempt with its error", async () => {
      const inbox = bench.inbox(QUICK);
      const numbers: unknown[] = [];
      const { parked } = bench.work(inbox, (_message, attempt) => {
        numbers.push(attempt);
        throw new Error(`failure ${attempt.number}`);
      });
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(parked).toHaveLength(1));
      expect(numbers).toEqual([1, 2, 3].map((number) => ({ number, of: 3 })));
      const error = { message: "failure 3", stack: expect.any(String) };
      expect(parked).toEqual([{ key: "a", type: "order.filled", attempts: 3, error }]);
      expect(await inbox.stats()).toEqual({ ...EMPTY, parked: 1 });
      const { events, cursor } = await inbox.parked();
      expect(cursor).toBeUndefined();
      const message = messageOf("a");
      expect(events).toEqual([{ ...parked[0], id: "a", parkedAt: expect.any(Date), message }]);
    });

    it("waits for the backoff, which grows", async () => {
      const { now, advance } = manualClock(1_000_000);
      const inbox = bench.inbox({ now, retry: { attempts: 5, backoffMs: 1_000, maxBackoffMs: 3_000 } });
      vi.spyOn(Math, "random").mockReturnValue(0.999_999);
      const { started } = bench.work(inbox, () => Promise.reject(new Error("no")));
      await inbox.add(messageOf("a"), TERMS);
      for (const [attempt, pauseMs] of [1_000, 2_000, 3_000, 3_000].entries()) {
        await vi.waitFor(() => expect(started).toHaveLength(attempt + 1));
        await vi.waitFor(async () => expect(await inbox.stats()).toEqual({ ...EMPTY, delayed: 1 }));
        const [{ due_at: due }] = rows(bench.open(), "SELECT due_at FROM bluum_webhook_inbox") as [{ due_at: number }];
        expect(due).toBe(now() + pauseMs);
        advance(pauseMs);
      }
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual({ ...EMPTY, parked: 1 }));
      vi.restoreAllMocks();
    });

    it("parks at once for a ParkEvent", async () => {
      const inbox = bench.inbox();
      const { parked, started } = bench.work(inbox, () => Promise.reject(new ParkEvent("useless")));
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(parked).toMatchObject([{ attempts: 1, error: { message: "useless" } }]));
      expect(started).toHaveLength(1);
    });

    it("survives handlers that throw synchronously, or throw nothing sensible", async () => {
      const inbox = bench.inbox({ retry: { attempts: 1 } });
      const thrown: unknown[] = [undefined, null, 5, { toString: 1 }, new Error("x".repeat(100_000))];
      for (const number of thrown.keys()) await inbox.add(messageOf(`${number}`), TERMS);
      const { parked, errors } = bench.work(inbox, ({ key }) => {
        throw thrown[Number(key)];
      });
      await vi.waitFor(() => expect(parked).toHaveLength(thrown.length));
      expect(errors).toEqual([]);
      expect(parked.every(({ error }) => error.message.length <= 1_000)).toBe(true);
    });

    it("goes on although its callbacks throw", async () => {
      const inbox = bench.inbox();
      const onParked = vi.fn(() => {
        throw new Error("a callback failed");
      });
      bench.work(inbox, () => Promise.reject(new ParkEvent("no")), { onParked });
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(onParked).toHaveBeenCalledTimes(1));
      await inbox.add(messageOf("b"), TERMS);
      await vi.waitFor(() => expect(onParked).toHaveBeenCalledTimes(2));
    });

    it("keeps no message of a processed event, and deletes the event after keepDoneMs", async () => {
      const { now, advance } = manualClock(1_000_000);
      const connection = bench.open();
      const inbox = sqliteInbox(connection, { now, keepDoneMs: 1_000 });
      bench.work(inbox);
      await inbox.add(messageOf("a"), TERMS);
      const kept = () => rows(connection, "SELECT key, state, message FROM bluum_webhook_inbox");
      await vi.waitFor(() => expect(kept()).toEqual([{ key: "a", state: "done", message: null }]));
      advance(1_001);
      await inbox.add(messageOf("b"), TERMS);
      await vi.waitFor(() => expect(kept()).toMatchObject([{ key: "b", state: "done" }]));
    });

    it("parks an event whose message was altered, and goes on with others", async () => {
      const connection = bench.open();
      const inbox = sqliteInbox(connection, QUICK);
      for (const key of ["a", "b", "c"]) await inbox.add(messageOf(key), TERMS);
      connection.exec("UPDATE bluum_webhook_inbox SET message = '{broken secret' WHERE key = 'a'");
      connection.exec("UPDATE bluum_webhook_inbox SET message = x'00ff' WHERE key = 'b'");
      const { parked, started } = bench.work(inbox);
      await vi.waitFor(() => expect(parked).toHaveLength(2));
      expect(started).toEqual(["c"]);
      expect(parked).toMatchObject([{ attempts: 3 }, { attempts: 3 }]);
      expect(JSON.stringify(parked)).not.toContain("secret");
      expect((await inbox.parked()).events.map(({ message }) => message)).toEqual([undefined, undefined]);
    });

    it("ends a run that takes longer than maxProcessingMs and a lock", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
      const inbox = bench.inbox({ retry: { attempts: 1 } });
      const { parked } = bench.work(inbox, () => new Promise(() => {}), { maxProcessingMs: 1_000 });
      await inbox.add(messageOf("a"), TERMS);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await inbox.stats()).toMatchObject({ active: 1 });
      await vi.advanceTimersByTimeAsync(2_000);
      await vi.waitFor(() => expect(parked).toMatchObject([{ attempts: 1 }]));
    });
  });

  describe("closing a worker", () => {
    it("waits for what runs, and takes nothing new", async () => {
      const inbox = bench.inbox();
      const { opened, open } = gate();
      const { worker, started } = bench.work(inbox, () => opened, { concurrency: 1 });
      await inbox.add(messageOf("a"), TERMS);
      await inbox.add(messageOf("b"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      const closed = worker.close();
      open();
      await closed;
      await worker.close();
      expect(started).toEqual(["a"]);
      expect(await inbox.stats()).toMatchObject({ waiting: 1, active: 0 });
    });

    it("gives the rest back at once, without an attempt, and ignores late results", async () => {
      const inbox = bench.inbox();
      const { opened, open } = gate();
      const { worker, started } = bench.work(inbox, () => opened);
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      await worker.close({ timeoutMs: 10 });
      expect(await inbox.stats()).toMatchObject({ waiting: 1, active: 0 });
      open();
      await opened;
      const attempts: number[] = [];
      bench.work(inbox, (_message, { number }) => attempts.push(number));
      await vi.waitFor(() => expect(attempts).toEqual([1]));
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
    });

    it("ends although the database is locked", async () => {
      const inbox = bench.inbox({ timeoutMs: 50 });
      const { worker, started, errors } = bench.work(inbox, () => new Promise(() => {}));
      await inbox.add(messageOf("a"), TERMS);
      await vi.waitFor(() => expect(started).toEqual(["a"]));
      const other = bench.open();
      other.exec("BEGIN IMMEDIATE");
      await worker.close({ timeoutMs: 10 });
      other.exec("ROLLBACK");
      expect(errors).toMatchObject([{ code: "store_unavailable" }]);
    });
  });

  describe("a worker that died", () => {
    /** A worker whose clock stands still, so that it does not see that its locks expire. It takes nothing more. */
    function freeze(now: () => number, concurrency: number, handle: Handle) {
      const frozen = now();
      return bench.work(bench.inbox({ now: () => frozen }), handle, { concurrency });
    }

    it("loses its event, which costs an attempt, and its late result does not count", async () => {
      const { now, advance } = manualClock(1_000_000);
      const inbox = bench.inbox({ now });
      await inbox.add(messageOf("a"), TERMS);
      const { opened, open } = gate();
      const dead = freeze(now, 1, () => opened);
      await vi.waitFor(() => expect(dead.started).toEqual(["a"]));
      advance(LOCK_EXPIRED_MS);
      const numbers: number[] = [];
      const second = gate();
      const taker = bench.work(inbox, (_message, { number }) => {
        numbers.push(number);
        return second.opened;
      });
      await vi.waitFor(() => expect(numbers).toEqual([2]));
      open();
      await dead.worker.close();
      expect(await inbox.stats()).toEqual({ ...EMPTY, active: 1 });
      second.open();
      await vi.waitFor(async () => expect(await inbox.stats()).toEqual(EMPTY));
      expect(taker.started).toEqual(["a"]);
    });

    it("has its event parked after the last attempt", async () => {
      const { now, advance } = manualClock(1_000_000);
      const inbox = bench.inbox({ now, retry: { attempts: 1 } });
      await inbox.add(messageOf("a"), TERMS);
      const first = freeze(now, 1, () => new Promise(() => {}));
      await vi.waitFor(() => expect(first.started).toEqual(["a"]));
      advance(LOCK_EXPIRED_MS);
      const { parked } = bench.work(inbox);
      await vi.waitFor(() => expect(parked).toHaveLength(1));
      expect(parked[0]).toMatchObject({
        attempts: 1,
        error: { message: "the worker died or lost its lock in attempt 1" },
      });
    });

    it("leaves events that are tried one at a time, since one of them may be the cause", async () => {
      const { now, advance } = manualClock(1_000_000);
      const inbox = bench.inbox({ now });
      for (const key of ["a", "b", "c"]) await inbox.add(messageOf(key), TERMS);
      const first = freeze(now, 3, () => new Promise(() => {}));
      await vi.waitFor(() => expect(first.started).toHaveLength(3));
      advance(LOCK_EXPIRED_MS);
      await inbox.add(messageOf("d"), TERMS);
      const { opened, open } = gate();
      const second = bench.work(inbox, ({ key }) => (key === "a" ? opened : undefined));
      await vi.waitFor(() => expect(second.started).toEqual(["a", "d"]));
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ waiting: 2, active: 1 }));
      open();
      await vi.waitFor(() => expect(second.started).toEqual(["a", "d", "b", "c"]));
    });

    it("does not make a worker that is full take more", async () => {
      const { now, advance } = manualClock(1_000_000);
      const inbox = bench.inbox({ now, lockMs: 1_000 });
      await inbox.add(messageOf("a"), TERMS);
      const dead = freeze(now, 1, () => new Promise(() => {}));
      await vi.waitFor(() => expect(dead.started).toEqual(["a"]));
      for (const key of ["b", "c", "d"]) await inbox.add(messageOf(key), TERMS);
      const { opened, open } = gate();
      const full = bench.work(inbox, () => opened, { concurrency: 1 });
      await vi.waitFor(() => expect(full.started).toEqual(["b"]));
      advance(LOCK_EXPIRED_MS);
      // Once the full worker has renewed its lock, it has looked at the others'.
      await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ waiting: 3, active: 1 }));
      expect(full.started).toEqual(["b"]);
      open();
      await vi.waitFor(() => expect(full.started).toEqual(["b", "a", "c", "d"]));
    });

    it("keeps its events as long as it renews them", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
      const inbox = bench.inbox();
      const { started } = bench.work(inbox, () => new Promise(() => {}), { maxProcessingMs: 600_000 });
      const other = bench.work(bench.inbox());
      await vi.advanceTimersByTimeAsync(100);
      await inbox.add(messageOf("a"), TERMS);
      await vi.advanceTimersByTimeAsync(120_000);
      expect([...started, ...other.started]).toEqual(["a"]);
    });
  });

  describe("parked events", () => {
    async function park(keys: readonly string[], options: SqliteInboxOptions = {}) {
      const inbox = bench.inbox(options);
      for (const key of keys) await inbox.add(messageOf(key, { type: `type.${key.slice(0, 1)}` }), TERMS);
      const { worker, parked } = bench.work(inbox, () => Promise.reject(new ParkEvent("no")));
      await vi.waitFor(() => expect(parked).toHaveLength(keys.length), { timeout: 10_000 });
      await worker.close();
      return inbox;
    }

    it("come in pages, by type and by key", async () => {
      const inbox = await park(["a1", "b1", "a2", "b2", "a3"]);
      const keysOf = async (query: object) => (await inbox.parked(query)).events.map(({ key }) => key);
      const first = await inbox.parked({ limit: 2 });
      expect(first.events.map(({ key }) => key)).toEqual(["a1", "b1"]);
      expect(await keysOf({ limit: 2, cursor: first.cursor })).toEqual(["a2", "b2"]);
      expect(await keysOf({ type: "type.a" })).toEqual(["a1", "a2", "a3"]);
      expect(await keysOf({ keys: ["a3", "b1", "none"] })).toEqual(["b1", "a3"]);
      expect(await keysOf({ keys: ["a3", "b1"], type: "type.a" })).toEqual(["a3"]);
      expect((await inbox.parked({ limit: 5 })).cursor).toBeUndefined();
    });

    it.each([{ limit: 0 }, { limit: 1_001 }, { cursor: "x" }, { type: 5 }, { keys: "a" }, { all: true }])(
      "refuses the query %j",
      async (query) => {
        const asking = bench.inbox().parked(query as object);
        await expect(asking).rejects.toMatchObject({ code: "configuration_invalid" });
      },
    );

    it.each([{}, undefined, { all: false }, { keys: ["a"], type: "b" }, { type: 5 }, { keys: [5] }, { tpye: "a" }])(
      "refuses the selection %j",
      async (selection) => {
        const inbox = bench.inbox();
        await expect(inbox.redrive(selection as never)).rejects.toMatchObject({ code: "configuration_invalid" });
        await expect(inbox.discard(selection as never)).rejects.toMatchObject({ code: "configuration_invalid" });
      },
    );

    it("are redriven with their attempts counted from 1 again", async () => {
      const inbox = await park(["a1", "b1", "a2"]);
      expect(await inbox.redrive({ keys: ["b1", "none"] })).toBe(1);
      expect(await inbox.redrive({ type: "type.a" })).toBe(2);
      expect(await inbox.redrive({ all: true })).toBe(0);
      const attempts: unknown[] = [];
      const { started } = bench.work(inbox, (_message, attempt) => attempts.push(attempt));
      await vi.waitFor(() => expect(started).toEqual(["a1", "b1", "a2"]));
      expect(attempts).toEqual([1, 2, 3].map(() => ({ number: 1, of: 20 })));
    });

    it("are discarded", async () => {
      const inbox = await park(["a1", "b1", "a2"]);
      expect(await inbox.discard({ type: "type.a" })).toBe(2);
      expect(await inbox.discard({ all: true })).toBe(1);
      expect(await inbox.stats()).toEqual(EMPTY);
      expect(await inbox.add(messageOf("a1"), TERMS)).toBe("duplicate");
    });

    it("are redriven in several transactions", async () => {
      const keys = Array.from({ length: 1_100 }, (_, number) => `a${number}`);
      const inbox = await park(keys);
      expect(await inbox.redrive({ keys })).toBe(1_100);
      expect(await inbox.stats()).toMatchObject({ waiting: 1_100, parked: 0 });
    }, 60_000);
  });

  it("counts the events of each state, whatever happens to them", async () => {
    const { now, advance } = manualClock(1_000_000);
    const connection = bench.open();
    const inbox = sqliteInbox(connection, { now, retry: { attempts: 2, backoffMs: 1_000 } });
    for (const key of ["a", "b"]) await inbox.add(messageOf(key, { orderingKey: "k" }), TERMS);
    advance(500);
    await inbox.add(messageOf("c"), TERMS);
    advance(500);
    expect(await inbox.stats()).toEqual({ ...EMPTY, waiting: 3, oldestWaitingMs: 1_000 });
    connection.exec("DELETE FROM bluum_webhook_inbox WHERE key = 'b'");
    expect(await inbox.stats()).toMatchObject({ waiting: 2 });
  });
});

describe("making a SQLite inbox", () => {
  const engine = engines[0] as Engine;
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench(engine);
  });

  afterEach(() => bench.close());

  it.each([
    ["table", ""],
    ["table", "a b"],
    ["table", 'a"b'],
    ["table", "sqlite_x"],
    ["table", "a".repeat(49)],
    ["table", null],
    ["storeTable", "1st"],
    ["storeTable", "bluum_webhook_inbox"],
    ["storeTable", "bluum_webhook_inbox_meta"],
    ["timeoutMs", 10_001],
    ["timeoutMs", -1],
    ["retry", { attempts: 0 }],
    ["maxWaiting", 0],
    ["keepDoneMs", -1],
    ["now", 5],
    ["tabel", "x"],
  ])("refuses %s %j", (name, value) => {
    const make = () => bench.inbox({ [name]: value } as SqliteInboxOptions);
    expect(make).toThrow(expect.objectContaining({ name: "WebhookError", code: "configuration_invalid" }));
    expect(make).toThrow(new RegExp(name));
  });

  it.each([
    ["concurrency", 0],
    ["concurrency", 1_001],
    ["pollMs", 9],
  ])("refuses a worker with %s %j", (name, value) => {
    expect(() => bench.work(bench.inbox(), undefined, { [name]: value })).toThrow(new RegExp(name));
  });

  it("refuses what is no synchronous database", () => {
    expect(() => sqliteInbox("file.db" as unknown as Connection)).toThrow(/synchronous/);
  });

  describeEach(describe, engines)("on $name", (each) => {
    it("refuses a database in memory", () => {
      const database = each.open(":memory:");
      expect(() => sqliteInbox(database)).toThrow(/in memory/);
      database.close();
    });

    it.each(["OFF", "NORMAL"])("refuses synchronous %s, and says what to do", (synchronous) => {
      const make = () => sqliteInbox(bench.open(synchronous));
      expect(make).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
      expect(make).toThrow(/PRAGMA synchronous = FULL/);
    });

    it("takes synchronous EXTRA, and switches the file to write-ahead logging", async () => {
      const connection = bench.open("EXTRA");
      sqliteInbox(connection);
      expect(rows(connection, "PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }]);
    });
  });

  it("refuses better-sqlite3's default, which changes when the file is read", inFull, ({ skip }) => {
    const better = engines.find(({ name }) => name === "better-sqlite3");
    if (better === undefined) return skip();
    const connection = better.open(bench.file);
    expect(() => sqliteInbox(connection)).toThrow(/PRAGMA synchronous = FULL/);
    connection.exec("PRAGMA synchronous = FULL");
    expect(sqliteInbox(connection).name).toBe("sqlite");
    connection.close();
  });

  it("checks a database that was locked at creation on first use", async () => {
    const other = bench.open();
    const connection = bench.open("NORMAL");
    other.exec("BEGIN EXCLUSIVE");
    const inbox = sqliteInbox(connection);
    other.exec("ROLLBACK");
    await expect(inbox.add(messageOf("a"), TERMS)).rejects.toMatchObject({ code: "configuration_invalid" });
  });

  it("refuses tables of a newer version, and leaves them alone", async () => {
    const connection = bench.open();
    await sqliteInbox(connection).add(messageOf("a"), TERMS);
    connection.exec("UPDATE bluum_webhook_inbox_meta SET value = 99 WHERE name = 'version'");
    const { errors } = bench.work(bench.inbox());
    await expect(bench.inbox().add(messageOf("b"), TERMS)).rejects.toThrow(/version 99.*upgrade/);
    await vi.waitFor(() => expect(errors[0]).toMatchObject({ code: "configuration_invalid" }));
    expect(rows(connection, "SELECT key FROM bluum_webhook_inbox")).toEqual([{ key: "a" }]);
  });

  it("uses other tables if it is told to", async () => {
    const connection = bench.open();
    const inbox = sqliteInbox(connection, { table: "mine", storeTable: "seen" });
    await inbox.add(messageOf("a"), { retentionMs: RETENTION_MS });
    expect(rows(connection, "SELECT key FROM mine")).toEqual([{ key: "a" }]);
    expect(rows(connection, "SELECT key FROM seen")).toEqual([{ key: "a" }]);
  });
});
