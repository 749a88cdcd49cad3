import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type BetterSqlite3 from "better-sqlite3";
import type Libsql from "libsql";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SqliteTurns } from "../../src/stores/sqlite/turns.ts";
import { type SqliteStore, type SqliteStoreOptions, sqliteStore } from "../../src/stores/sqlite.ts";
import { ClaimedContext } from "../../src/stores/transaction.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";
import { inFull, runs } from "../exhaustive.ts";
import { manualClock } from "./clock.ts";
import { describeStoreContract } from "./contract.ts";
import { modelTest } from "./model.ts";
import { type Connection, type Engine, engines, freshFile } from "./sqlite-engines.ts";

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 3_600_000;
const isRoot = process.getuid?.() === 0;

describe.skipIf(engines.some(({ name }) => name === "better-sqlite3"))("better-sqlite3", () => {
  it.skip("is not built here, so that its tests are left out", () => {});
});

/** Two stores on one file, each with a connection of its own. */
function twoOnOneFile(engine: Engine, options: SqliteStoreOptions = {}): StoreUnderTest {
  const { file, remove } = freshFile();
  const connections = [engine.open(file), engine.open(file)] as const;
  const [store, peer] = connections.map((connection) => sqliteStore(connection, options)) as [SqliteStore, SqliteStore];
  const dispose = () => {
    for (const connection of connections) connection.close();
    remove();
  };
  return { store, peer, dispose };
}

function onManualClock(engine: Engine): StoreUnderTest {
  // Whatever was at work before 1970 plus a second is none of this clock's.
  const { now, advance } = manualClock();
  return { ...twoOnOneFile(engine, { now }), advance };
}

function rows(connection: Connection, sql: string): unknown[] {
  return connection.prepare(sql).all();
}

describe.each(engines)("the SQLite store on $name", (engine) => {
  describeStoreContract("on a manual clock, it", () => onManualClock(engine));
  if (engine === engines[0]) describeStoreContract("on the machine's clock, it", () => twoOnOneFile(engine));
});

describe.each(engines)("the SQLite store on $name", (engine) => {
  let file: string;
  let remove: () => void;
  let connections: Connection[];

  beforeEach(() => {
    connections = [];
    ({ file, remove } = freshFile());
  });

  afterEach(() => {
    for (const connection of connections) connection.close();
    remove();
  });

  function open(options?: object): Connection {
    const connection = engine.open(file, options);
    connections.push(connection);
    // For what the tests themselves ask, while other processes come and go.
    connection.exec("PRAGMA busy_timeout = 5000");
    return connection;
  }

  function claim(store: SqliteStore, key: string, leaseMs = LEASE_MS) {
    return store.claim(key, { token: `token of ${key}`, leaseMs });
  }

  async function statusFor(store: SqliteStore, key: string): Promise<string> {
    return (await store.claim(key, { token: "a stranger's", leaseMs: LEASE_MS })).status;
  }

  /** The context of a delivery whose event is claimed. */
  async function contextOf(store: SqliteStore, key: string, leaseMs = LEASE_MS) {
    await claim(store, key, leaseMs);
    const handOver = vi.fn();
    const completionWritten = vi.fn();
    const token = `token of ${key}`;
    const context = new ClaimedContext({ store, key, token, retentionMs: RETENTION_MS, handOver, completionWritten });
    return { context, handOver, completionWritten };
  }

  it("answers as the state machine does, whatever is asked", { ...inFull, timeout: 120_000 }, () =>
    modelTest(() => onManualClock(engine), runs(20, 500)),
  );

  it("keeps the contract's claims in a file without write-ahead logging too", async () => {
    const [one, other] = [open(), open()].map((connection) => sqliteStore(connection, { wal: false })) as [
      SqliteStore,
      SqliteStore,
    ];
    const stores = Array.from({ length: 20 }, (_, place) => (place % 2 ? one : other));
    const claims = await Promise.all(
      stores.map((store, place) => store.claim("event", { token: `${place}`, leaseMs: LEASE_MS })),
    );
    expect(claims.filter(({ status }) => status === "claimed")).toHaveLength(1);
    expect(rows(open(), "PRAGMA journal_mode")).toMatchObject([{ journal_mode: "delete" }]);
  });

  it("commits the claims of one turn of the event loop together, and so the completions", async () => {
    const connection = open();
    const store = sqliteStore(connection);
    await claim(store, "first");
    const exec = vi.spyOn(connection, "exec");
    const commits = () => exec.mock.calls.filter(([sql]) => sql === "COMMIT").length;
    const keys = Array.from({ length: 20 }, (_, place) => `event ${place}`);
    const claims = await Promise.all([...keys, ...keys].map((key, place) => claimBy(`${place}`, key)));
    expect(claims.map(({ status }) => status)).toEqual([...keys.map(() => "claimed"), ...keys.map(() => "in_flight")]);
    expect(commits()).toBe(1);
    const completions = keys.map((key, place) => store.complete(key, { token: `${place}`, retentionMs: RETENTION_MS }));
    expect(new Set(await Promise.all(completions))).toEqual(new Set(["stored"]));
    expect(commits()).toBe(2);

    function claimBy(token: string, key: string) {
      return store.claim(key, { token, leaseMs: LEASE_MS });
    }
  });

  describe("the file", () => {
    it("makes its table on first use and switches the file to write-ahead logging", async () => {
      const store = sqliteStore(open());
      expect(rows(open(), "SELECT name FROM sqlite_master")).toEqual([]);
      await claim(store, "event");
      expect(rows(open(), "SELECT token FROM bluum_webhook_events")).toMatchObject([{ token: "token of event" }]);
      expect(rows(open(), "PRAGMA journal_mode")).toMatchObject([{ journal_mode: "wal" }]);
    });

    it("remembers across connections", async () => {
      const first = engine.open(file);
      await claim(sqliteStore(first), "live");
      await sqliteStore(first).complete("done", { token: "its", retentionMs: RETENTION_MS });
      first.close();
      const store = sqliteStore(open());
      expect(await statusFor(store, "live")).toBe("in_flight");
      expect(await statusFor(store, "done")).toBe("completed");
    });

    it("keeps tables of other names apart", async () => {
      const connection = open();
      const [one, other] = [
        sqliteStore(connection, { table: "select" }),
        sqliteStore(connection, { table: "Other_1" }),
      ];
      await claim(one, "event");
      expect(await statusFor(other, "event")).toBe("claimed");
      expect(await statusFor(one, "event")).toBe("in_flight");
    });

    it("creates its table again after it was dropped", async () => {
      const connection = open();
      const store = sqliteStore(connection);
      await claim(store, "event");
      connection.exec("DROP TABLE bluum_webhook_events");
      await expect(claim(store, "event")).rejects.toThrow(/no such table/);
      expect(await claim(store, "event")).toEqual({ status: "claimed" });
    });

    it("goes on after another connection has changed the layout of the file", async () => {
      const store = sqliteStore(open());
      await claim(store, "event");
      open().exec("CREATE TABLE unrelated (a)");
      expect(await statusFor(store, "event")).toBe("in_flight");
    });

    it("leaves the connection's own busy_timeout as it is", async () => {
      const connection = open();
      connection.exec("PRAGMA busy_timeout = 1234");
      const store = sqliteStore(connection, { timeoutMs: 0 });
      await claim(store, "event");
      const other = open();
      other.exec("BEGIN IMMEDIATE");
      await expect(claim(store, "another")).rejects.toThrow(/locked/);
      other.exec("ROLLBACK");
      expect(rows(connection, "PRAGMA busy_timeout")).toMatchObject([{ timeout: 1234 }]);
    });

    it("recognises its own records when integers come as bigints", async () => {
      const connection = open() as Connection & { defaultSafeIntegers?: () => void };
      connection.defaultSafeIntegers?.();
      const { now, advance } = manualClock();
      const store = sqliteStore(connection, { now });
      await claim(store, "event", 100);
      expect(await store.claim("event", { token: "a stranger's", leaseMs: 100 })).toEqual({
        status: "in_flight",
        remainingMs: 100,
      });
      await store.complete("event", { token: "token of event", retentionMs: 100 });
      expect(await statusFor(store, "event")).toBe("completed");
      advance(100);
      expect(await store.purge()).toBe(1);
    });
  });

  describe("expired records", () => {
    it("are deleted a few at a time by each claim", async () => {
      const { now, advance } = manualClock();
      const connection = open();
      const store = sqliteStore(connection, { now });
      for (let number = 0; number < 20; number += 1) await claim(store, `old ${number}`);
      advance(LEASE_MS);
      const left = () => rows(connection, "SELECT key FROM bluum_webhook_events WHERE key LIKE 'old %'").length;
      await claim(store, "new");
      expect(left()).toBe(16);
      for (let number = 0; number < 4; number += 1) await claim(store, `new ${number}`);
      expect(left()).toBe(0);
      expect(await statusFor(store, "new")).toBe("in_flight");
    });

    it("are all deleted by a purge, batch by batch, and nothing else is", async () => {
      const { now, advance } = manualClock();
      const store = sqliteStore(open(), { now });
      for (let number = 0; number < 25; number += 1) await claim(store, `old ${number}`);
      await store.complete("kept", { token: "its", retentionMs: RETENTION_MS });
      advance(LEASE_MS);
      expect(await store.purge({ batch: 10 })).toBe(25);
      expect(await store.purge()).toBe(0);
      expect(await statusFor(store, "kept")).toBe("completed");
    });

    it.each([0, -1, 1.5, Number.NaN, "10"])("refuses a batch of %s", async (batch) => {
      const purge = sqliteStore(open()).purge({ batch: batch as number });
      await expect(purge).rejects.toMatchObject({
        code: "configuration_invalid",
        message: expect.stringMatching(/batch/),
      });
    });
  });

  describe("while another connection holds the write lock", () => {
    let other: Connection;
    let connection: Connection;
    let store: SqliteStore;

    beforeEach(async () => {
      connection = open();
      store = sqliteStore(connection, { timeoutMs: 200 });
      await claim(store, "held");
      await store.complete("done", { token: "its", retentionMs: RETENTION_MS });
      other = open();
      other.exec("BEGIN IMMEDIATE");
    });

    it("rejects after its own timeout, not the connection's, and recovers by itself", async () => {
      const startedAt = performance.now();
      await expect(claim(store, "event")).rejects.toMatchObject({ code: "store_unavailable" });
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThanOrEqual(199);
      expect(tookMs).toBeLessThan(4_000);
      other.exec("ROLLBACK");
      expect(await claim(store, "event")).toEqual({ status: "claimed" });
    });

    it("rejects a crowd in the time of one, and keeps the event loop free", async () => {
      const verbs = Array.from({ length: 200 }, (_, number) => claim(store, `event ${number}`));
      let turns = 0;
      const ticking = setInterval(() => (turns += 1), 10);
      const startedAt = performance.now();
      const results = await Promise.allSettled(verbs);
      clearInterval(ticking);
      expect(results.every(({ status }) => status === "rejected")).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(turns).toBeGreaterThan(3);
    });

    it("goes on with what waits, in its order, once the lock is free", async () => {
      const order: string[] = [];
      const patient = sqliteStore(open(), { timeoutMs: 10_000 });
      const waiting = ["one", "two", "three"].map((key) => claim(patient, key).then(() => order.push(key)));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(order).toEqual([]);
      other.exec("COMMIT");
      await Promise.all(waiting);
      expect(order).toEqual(["one", "two", "three"]);
      expect(await statusFor(patient, "three")).toBe("in_flight");
    });

    it("answers duplicates at once", async () => {
      const never = sqliteStore(open(), { timeoutMs: 0 });
      other.exec("ROLLBACK");
      await claim(never, "its table is known");
      other.exec("BEGIN IMMEDIATE");
      expect(await statusFor(never, "held")).toBe("in_flight");
      expect(await statusFor(never, "done")).toBe("completed");
      await expect(claim(never, "held")).rejects.toMatchObject({ code: "store_unavailable" });
      await expect(statusFor(never, "unknown")).rejects.toMatchObject({ code: "store_unavailable" });
    });

    it("starts as soon as the lock is free, if the lock was there first", async () => {
      const late = sqliteStore(open(), { table: "made_late", timeoutMs: 0 });
      await expect(claim(late, "event")).rejects.toMatchObject({ code: "store_unavailable" });
      other.exec("COMMIT");
      expect(await claim(late, "event")).toEqual({ status: "claimed" });
    });
  });

  describe("inside a transaction on its own connection", () => {
    it.each(["BEGIN", "BEGIN IMMEDIATE"])(
      "every verb refuses to run, and the transaction goes on (%s)",
      async (begin) => {
        const connection = open();
        const store = sqliteStore(connection);
        await claim(store, "event");
        connection.exec("CREATE TABLE mine (a)");
        connection.exec(begin);
        connection.exec("INSERT INTO mine VALUES (1)");
        const by = { token: "token of event", leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
        const verbs = [
          () => store.claim("event", by),
          () => store.renew("event", by),
          () => store.complete("event", by),
          () => store.release("event", by),
          () => store.forget("event"),
          () => store.purge(),
        ];
        for (const verb of verbs) {
          await expect(verb()).rejects.toMatchObject({
            code: "store_unavailable",
            message: expect.stringMatching(/inside a transaction.*connection of its own/),
          });
        }
        connection.exec("COMMIT");
        expect(rows(connection, "SELECT a FROM mine")).toHaveLength(1);
        expect(await store.complete("event", by)).toBe("stored");
      },
    );

    it("a refused verb takes no lock on the transaction's behalf", async () => {
      const connection = open();
      const store = sqliteStore(connection);
      await claim(store, "event");
      connection.exec("BEGIN");
      await expect(claim(store, "event")).rejects.toThrow(/transaction/);
      expect(await statusFor(sqliteStore(open(), { timeoutMs: 0 }), "another")).toBe("claimed");
      connection.exec("ROLLBACK");
    });

    it("is noticed even if the driver does not show it", async () => {
      const connection = open();
      const silent = { exec: (sql: string) => connection.exec(sql), prepare: (sql: string) => connection.prepare(sql) };
      const store = sqliteStore(silent);
      expect(await claim(store, "event")).toEqual({ status: "claimed" });
      connection.exec("BEGIN");
      await expect(claim(store, "event")).rejects.toThrow(/inside a transaction/);
      connection.exec("ROLLBACK");
      expect(await statusFor(store, "event")).toBe("in_flight");
      const { context } = await contextOf(store, "credit");
      expect(() => store.completeIn(context)).toThrow(/inside a transaction/);
      connection.exec("BEGIN");
      store.completeIn(context);
      connection.exec("COMMIT");
      expect(await statusFor(store, "credit")).toBe("completed");
    });
  });

  describe("completing in the caller's transaction", () => {
    let connection: Connection;
    let store: SqliteStore;
    const ledger = () => rows(open(), "SELECT amount FROM ledger").length;

    beforeEach(() => {
      connection = open();
      connection.exec("CREATE TABLE ledger (amount)");
      store = sqliteStore(connection);
    });

    /** What drivers' own transaction functions do. */
    function transaction(work: () => void): void {
      connection.exec("BEGIN IMMEDIATE");
      try {
        connection.exec("INSERT INTO ledger VALUES (100)");
        work();
        connection.exec("COMMIT");
      } catch (error) {
        connection.exec("ROLLBACK");
        throw error;
      }
    }

    it("commits both or none", async () => {
      const { context, handOver } = await contextOf(store, "event");
      transaction(() => {
        store.completeIn(context);
        expect(handOver).toHaveBeenCalledOnce();
      });
      expect(ledger()).toBe(1);
      expect(await claim(store, "event")).toEqual({ status: "completed" });
      expect(await statusFor(store, "event")).toBe("completed");
    });

    it("keeps the claim if the caller rolls back", async () => {
      const { context } = await contextOf(store, "event");
      const failing = () =>
        transaction(() => {
          store.completeIn(context);
          throw new Error("the caller's own");
        });
      expect(failing).toThrow("the caller's own");
      expect(ledger()).toBe(0);
      expect(await statusFor(store, "event")).toBe("in_flight");
      expect(await claim(store, "event")).toEqual({ status: "claimed" });
      transaction(() => store.completeIn(context));
      expect(ledger()).toBe(1);
    });

    it("throws claim_lost if another holds the event, and the caller's rows roll back", async () => {
      const { now, advance } = manualClock();
      store = sqliteStore(connection, { now });
      const { context, handOver } = await contextOf(store, "event");
      advance(LEASE_MS);
      const rival = sqliteStore(open(), { now });
      expect(await statusFor(rival, "event")).toBe("claimed");
      expect(() => transaction(() => store.completeIn(context))).toThrow(
        expect.objectContaining({ name: "WebhookError", code: "claim_lost" }),
      );
      expect(handOver).toHaveBeenCalledOnce();
      expect(ledger()).toBe(0);
      expect(await rival.complete("event", { token: "a stranger's", retentionMs: RETENTION_MS })).toBe("stored");
      expect(() => transaction(() => store.completeIn(context))).toThrow(
        expect.objectContaining({ code: "claim_lost" }),
      );
      expect(ledger()).toBe(0);
    });

    it("counts if the lease expired and no other token took the event", async () => {
      const { now, advance } = manualClock();
      store = sqliteStore(connection, { now });
      const { context } = await contextOf(store, "event");
      advance(LEASE_MS);
      transaction(() => store.completeIn(context));
      expect(ledger()).toBe(1);
      expect(await statusFor(store, "event")).toBe("completed");
    });

    it("refuses a second transaction for what was committed already, as a retry after a lost reply would try", async () => {
      const { context } = await contextOf(store, "event");
      transaction(() => store.completeIn(context));
      expect(() => transaction(() => store.completeIn(context))).toThrow(
        expect.objectContaining({ code: "claim_lost" }),
      );
      expect(ledger()).toBe(1);
    });

    it("keeps a transaction that began before the claim was lost from committing", async () => {
      const { now, advance } = manualClock();
      store = sqliteStore(connection, { now });
      const { context } = await contextOf(store, "event");
      connection.exec("BEGIN");
      expect(rows(connection, "SELECT amount FROM ledger")).toEqual([]);
      advance(LEASE_MS);
      const rival = sqliteStore(open(), { now });
      expect(await statusFor(rival, "event")).toBe("claimed");
      expect(() => store.completeIn(context)).toThrow(/locked/);
      connection.exec("ROLLBACK");
      expect(await statusFor(rival, "event")).toBe("claimed");
    });

    it("refuses to run outside a transaction, where it would be no more than a completion", async () => {
      const { context, handOver } = await contextOf(store, "event");
      expect(() => store.completeIn(context)).toThrow(
        expect.objectContaining({
          code: "configuration_invalid",
          message: expect.stringMatching(/inside a transaction/),
        }),
      );
      expect(handOver).not.toHaveBeenCalled();
      expect(await statusFor(store, "event")).toBe("in_flight");
    });

    it("refuses what is no delivery's context, and the context of another store", async () => {
      const { context } = await contextOf(sqliteStore(connection, { table: "another" }), "event");
      connection.exec("BEGIN");
      for (const wrong of [context, {}]) {
        expect(() => store.completeIn(wrong)).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
      }
      connection.exec("ROLLBACK");
    });
  });

  describe("store.transaction", () => {
    let connection: Connection;
    let store: SqliteStore;
    const ledger = () => rows(open(), "SELECT amount FROM ledger").length;
    const book = () => connection.exec("INSERT INTO ledger VALUES (100)");

    beforeEach(() => {
      connection = open();
      connection.exec("CREATE TABLE ledger (amount)");
      store = sqliteStore(connection);
    });

    it("commits the rows and the completion, and gives what work returned", async () => {
      const { context, completionWritten } = await contextOf(store, "event");
      const booking = store.transaction(context, () => {
        book();
        return ["a result", 1];
      });
      expect(await booking).toEqual(["a result", 1]);
      expect(completionWritten).toHaveBeenCalledOnce();
      expect(ledger()).toBe(1);
      expect(await statusFor(store, "event")).toBe("completed");
    });

    it("rolls both back if work throws, even that something is locked, and runs it once", async () => {
      for (const message of ["changed my mind", "database is locked"]) {
        const { context } = await contextOf(store, message);
        let runs = 0;
        const failing = store.transaction(context, () => {
          runs += 1;
          book();
          throw new Error(message);
        });
        await expect(failing).rejects.toThrow(message);
        expect([runs, ledger()]).toEqual([1, 0]);
        expect(await claim(store, message)).toEqual({ status: "claimed" });
      }
    });

    it("throws claim_lost before work is begun if another has the event", async () => {
      const { now, advance } = manualClock();
      store = sqliteStore(connection, { now });
      const { context, completionWritten } = await contextOf(store, "event");
      advance(LEASE_MS);
      expect(await statusFor(sqliteStore(open(), { now }), "event")).toBe("claimed");
      await expect(store.transaction(context, book)).rejects.toMatchObject({ code: "claim_lost" });
      expect(completionWritten).not.toHaveBeenCalled();
      expect(ledger()).toBe(0);
    });

    it("refuses asynchronous work, and rolls back what it has begun", async () => {
      const { context } = await contextOf(store, "event");
      const asynchronous = store.transaction(context, async () => {
        book();
        throw new Error("swallowed");
      });
      await expect(asynchronous).rejects.toMatchObject({
        code: "configuration_invalid",
        message: expect.stringContaining("synchronous"),
      });
      expect(ledger()).toBe(0);
      expect(await claim(store, "event")).toEqual({ status: "claimed" });
    });

    it.each(["commits", "rolls back"])("verbs that work calls run after the transaction, which %s", async (end) => {
      const { context } = await contextOf(store, "event");
      for (const key of ["kept", "done", "released", "forgotten"]) await claim(store, key);
      const by = (key: string) => ({ token: `token of ${key}`, leaseMs: LEASE_MS, retentionMs: RETENTION_MS });
      let verbs: Promise<unknown>[] = [];
      const booking = store.transaction(context, () => {
        verbs = [
          store.renew("kept", by("kept")),
          store.complete("done", by("done")),
          store.release("released", by("released")),
          store.forget("forgotten"),
        ];
        book();
        if (end === "rolls back") throw new Error("changed my mind");
      });
      await (end === "commits" ? booking : expect(booking).rejects.toThrow("changed my mind"));
      expect(ledger()).toBe(end === "commits" ? 1 : 0);
      // A rollback does not take their answers back.
      expect(await Promise.all(verbs)).toEqual([true, "stored", true, true]);
      expect(await statusFor(store, "kept")).toBe("in_flight");
      expect(await statusFor(store, "done")).toBe("completed");
      expect(await statusFor(store, "released")).toBe("claimed");
      expect(await statusFor(store, "forgotten")).toBe("claimed");
    });

    it("refuses a claim that work makes, and commits all the same", async () => {
      const { context } = await contextOf(store, "event");
      let claiming: Promise<unknown> | undefined;
      await store.transaction(context, () => {
        claiming = claim(store, "another");
        claiming.catch(() => {});
        book();
      });
      await expect(claiming).rejects.toThrow(/inside a transaction/);
      expect(ledger()).toBe(1);
    });

    it("waits while another connection holds the write lock, and keeps the event loop free", async () => {
      const { context } = await contextOf(store, "event");
      const other = open();
      other.exec("BEGIN IMMEDIATE");
      let runs = 0;
      const booking = store.transaction(context, () => {
        runs += 1;
        book();
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(runs).toBe(0);
      other.exec("COMMIT");
      await booking;
      expect([runs, ledger()]).toEqual([1, 1]);
    });

    it("refuses what is no delivery's context, and a connection inside a transaction", async () => {
      const { context } = await contextOf(store, "event");
      await expect(store.transaction({}, book)).rejects.toMatchObject({ code: "configuration_invalid" });
      connection.exec("BEGIN");
      await expect(store.transaction(context, book)).rejects.toThrow(/inside a transaction/);
      connection.exec("ROLLBACK");
      expect(ledger()).toBe(0);
    });
  });

  describe("a file that cannot be written", () => {
    it("makes claims reject while the database is full, and lets them go on afterwards", async () => {
      const connection = open();
      const store = sqliteStore(connection);
      await claim(store, "first");
      const [{ page_count: pages }] = rows(connection, "PRAGMA page_count") as [{ page_count: number }];
      connection.exec(`PRAGMA max_page_count = ${pages}`);
      let stored = 0;
      const fill = async () => {
        for (; stored < 10_000; stored += 1) await claim(store, `${"x".repeat(240)} ${stored}`);
      };
      await expect(fill()).rejects.toThrow(/full/);
      await expect(fill()).rejects.toThrow(/full/);
      expect(rows(connection, "SELECT key FROM bluum_webhook_events")).toHaveLength(stored + 1);
      expect(await statusFor(store, "first")).toBe("in_flight");
      connection.exec("PRAGMA max_page_count = 1000000");
      expect(await claim(store, `${"x".repeat(240)} ${stored}`)).toEqual({ status: "claimed" });
    });

    it.skipIf(isRoot)("makes claims reject if it is read-only", async () => {
      const first = engine.open(file);
      await claim(sqliteStore(first), "event");
      first.close();
      chmodSync(file, 0o444);
      await expect(claim(sqliteStore(open()), "event")).rejects.toThrow(/readonly/);
    });

    it.skipIf(engine.name === "libsql")("makes claims reject if it was opened for reading", async () => {
      await claim(sqliteStore(open()), "event");
      const store = sqliteStore(open(engine.name === "node:sqlite" ? { readOnly: true } : { readonly: true }));
      await expect(claim(store, "another")).rejects.toThrow(/readonly/);
    });

    it("makes claims reject if the connection may only read", async () => {
      const connection = open();
      const store = sqliteStore(connection);
      await claim(store, "event");
      connection.exec("PRAGMA query_only = ON");
      await expect(claim(store, "another")).rejects.toThrow(/readonly/);
      connection.exec("PRAGMA query_only = OFF");
      expect(await claim(store, "another")).toEqual({ status: "claimed" });
    });

    it("makes verbs reject if the connection was closed", async () => {
      const connection = engine.open(file);
      const store = sqliteStore(connection);
      await claim(store, "event");
      connection.close();
      await expect(claim(store, "event")).rejects.toThrow();
      await expect(store.renew("event", { token: "its", leaseMs: LEASE_MS })).rejects.toThrow();
    });
  });

  describe("shared by processes", () => {
    const children: ChildProcess[] = [];

    afterEach(() => {
      for (const child of children.splice(0)) child.kill("SIGKILL");
    });

    function start(task: string, ...rest: string[]): ChildProcess {
      return launch(process.execPath, childArguments(task, ...rest));
    }

    function childArguments(task: string, ...rest: string[]): string[] {
      return [join(import.meta.dirname, "sqlite-child.mjs"), engine.name, file, task, ...rest];
    }

    function launch(command: string, args: string[]): ChildProcess {
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      return child;
    }

    /** What a child prints first. */
    async function printed(child: ChildProcess): Promise<unknown> {
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      for await (const line of lines) return JSON.parse(line);
      throw new Error("the child ended without a word");
    }

    async function kill(child: ChildProcess): Promise<void> {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }

    it("gives each event to one of several processes that start at once", { ...inFull, timeout: 120_000 }, async () => {
      const events = runs(50, 200);
      const names = ["a", "b", "c", "d", "e", "f"].slice(0, runs(3, 6));
      const won = (await Promise.all(names.map((name) => printed(start("claimAll", name, `${events}`))))) as string[][];
      expect(won.flat()).toHaveLength(events);
      expect(new Set(won.flat()).size).toBe(events);
    });

    it("gives each event to one process although others are killed in the middle", {
      ...inFull,
      timeout: 120_000,
    }, async () => {
      const events = runs(50, 200);
      const doomed = ["x", "y", "z"].slice(0, runs(1, 3)).map((name) => start("holdOne", name, "1000"));
      const workers = ["a", "b", "c"].slice(0, runs(2, 3)).map((name) => printed(start("claimAll", name, `${events}`)));
      await Promise.all(doomed.map(printed));
      await Promise.all(doomed.map(kill));
      const won = (await Promise.all(workers)) as string[][];
      expect(won.flat()).toHaveLength(events);
      expect(new Set(won.flat()).size).toBe(events);
      const connection = open();
      expect(rows(connection, "PRAGMA integrity_check")).toMatchObject([{ integrity_check: "ok" }]);
      const store = sqliteStore(connection);
      await vi.waitFor(async () => expect(await statusFor(store, "held")).toBe("claimed"), { timeout: 10_000 });
    });

    it.each([
      ["before the commit", 0, "claimed"],
      ["after the commit", 1, "completed"],
    ])(
      "a process killed %s leaves both the ledger and the completion so",
      async (when, credits, found) => {
        await once(start("creditAndDie", when), "exit");
        const connection = open();
        const store = sqliteStore(connection);
        await vi.waitFor(async () => expect(await statusFor(store, "credit")).toBe(found), { timeout: 10_000 });
        expect(rows(connection, "SELECT amount FROM ledger")).toHaveLength(credits);
      },
      60_000,
    );

    it.skipIf(process.platform === "win32")(
      "believes no claim whose commit the disk refused",
      async () => {
        await claim(sqliteStore(open()), "first");
        // The shell's unit is 512 bytes or 1 KiB: either way the claims soon reach it.
        const script = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`;
        const child = launch("sh", ["-c", script, process.execPath, ...childArguments("fillUp")]);
        const { told, error } = (await printed(child)) as { told: string[]; error: string };
        expect(error).toMatch(/disk|full|I\/O/i);
        expect(told.length).toBeGreaterThan(10);
        const stored = rows(open(), "SELECT key FROM bluum_webhook_events") as { key: string }[];
        expect(stored.map(({ key }) => key).sort()).toEqual([...told, "first"].sort());
      },
      60_000,
    );
  });
});

describe("making a SQLite store", () => {
  const engine = engines[0] as Engine;

  function make(options: unknown, database: unknown = engine.open(":memory:")) {
    return () => sqliteStore(database as Connection, options as SqliteStoreOptions);
  }

  it.each(["", "1st", "sqlite_events", "SQLite_x", "a b", 'a"b', "a;b", "main.events", "é", "a".repeat(64), 5, null])(
    "refuses the table name %j",
    (table) => {
      expect(make({ table })).toThrow(expect.objectContaining({ name: "WebhookError", code: "configuration_invalid" }));
      expect(make({ table })).toThrow(/table/);
    },
  );

  it.each([
    ["timeoutMs", -1],
    ["timeoutMs", 10_001],
    ["busyTimeout", 100],
    ["timeoutMs", 1.5],
    ["timeoutMs", "100"],
    ["timeoutMs", Number.NaN],
    ["wal", "yes"],
    ["now", 5],
  ])("refuses %s %s", (name, value) => {
    expect(make({ [name]: value })).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
    expect(make({ [name]: value })).toThrow(new RegExp(name));
  });

  it.each([
    ["nothing", undefined],
    ["a file's name", "events.db"],
    ["a driver that prepares asynchronously", { exec: async () => {}, prepare: async () => ({ all: async () => [] }) }],
    ["a driver that asks asynchronously", { exec: async () => {}, prepare: () => ({ all: async () => [] }) }],
  ])("refuses %s for a database", (_, database) => {
    const made = () => sqliteStore(database as unknown as Connection);
    expect(made).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
    expect(made).toThrow(/database/);
  });

  it("takes the drivers' databases by their own types", () => {
    const takesLibsql = (database: Libsql.Database) => sqliteStore(database);
    const takesBetterSqlite3 = (database: BetterSqlite3.Database) => sqliteStore(database);
    expect(takesLibsql).not.toBe(takesBetterSqlite3);
  });

  it("touches no file", () => {
    const { file, remove } = freshFile();
    const database = engine.open(`${file}`);
    const before = existsSync(file);
    sqliteStore(database);
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(existsSync(file)).toBe(before);
    database.close();
    remove();
  });

  it("works in memory", async () => {
    const store = sqliteStore(engine.open(":memory:"));
    expect(await store.claim("event", { token: "its", leaseMs: LEASE_MS })).toEqual({ status: "claimed" });
    expect(await store.complete("event", { token: "its", retentionMs: RETENTION_MS })).toBe("stored");
  });

  it("never reports more time left than the lease, even with fractions of a millisecond", async () => {
    // A claim that finds nothing reads the clock twice.
    const times = [1_000.9, 1_000.9, 1_000.1];
    const store = sqliteStore(engine.open(":memory:"), { now: () => times.shift() as number });
    await store.claim("event", { token: "its", leaseMs: LEASE_MS });
    const found = await store.claim("event", { token: "a stranger's", leaseMs: LEASE_MS });
    expect(found).toEqual({ status: "in_flight", remainingMs: LEASE_MS });
  });

  it("counts the retention from the first completion, not from its repetition", async () => {
    const { now, advance } = manualClock();
    const store = sqliteStore(engine.open(":memory:"), { now });
    const by = { token: "its", leaseMs: LEASE_MS, retentionMs: 1_000 };
    await store.complete("event", by);
    advance(600);
    expect(await store.complete("event", by)).toBe("stored");
    advance(400);
    expect(await store.claim("event", { ...by, token: "a stranger's" })).toEqual({ status: "claimed" });
  });
});

describe("the line of verbs that wait for the database", () => {
  const locked = () => {
    throw new Error("database is locked");
  };

  it("lets only the first one ask", async () => {
    const turns = new SqliteTurns(500);
    const asked = [0, 0];
    const ask = (place: 0 | 1) => () => {
      asked[place] = (asked[place] as number) + 1;
      return locked();
    };
    const results = await Promise.allSettled([turns.take("other", ask(0)), turns.take("other", ask(1))]);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(asked[0]).toBeGreaterThan(2);
    expect(asked[1]).toBeLessThanOrEqual(1);
  });

  it("passes on what the work throws, and lets the next one in", async () => {
    const turns = new SqliteTurns(5_000);
    let isLocked = true;
    const failing = turns.take("other", () => {
      if (isLocked) locked();
      throw new Error("disk I/O error");
    });
    const next = turns.take("other", () => "next");
    isLocked = false;
    await expect(failing).rejects.toThrow("disk I/O error");
    expect(await next).toBe("next");
    const work = vi.fn();
    const taken = turns.take("other", work);
    expect(work).toHaveBeenCalledOnce();
    await taken;
  });

  it("lets a renewal go before a backlog of claims", async () => {
    const turns = new SqliteTurns(5_000);
    let isLocked = true;
    const order: string[] = [];
    const verb = (name: string) => () => {
      if (isLocked) locked();
      order.push(name);
    };
    const claims = ["first", "second"].map((name) => turns.take("other", verb(name)));
    const renewal = turns.take("holder", verb("renewal"));
    isLocked = false;
    await Promise.all([...claims, renewal]);
    expect(order).toEqual(["renewal", "first", "second"]);
  });

  it("times all late verbs out without asking for each", async () => {
    const turns = new SqliteTurns(20);
    const asked = vi.fn(locked);
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => turns.take("other", asked)));
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(asked.mock.calls.length).toBeLessThan(100);
    expect(await turns.take("other", () => "free")).toBe("free");
  });
});
