import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ParkEvent } from "../../src/inbox/failure.ts";
import type { SqliteInbox } from "../../src/inbox/sqlite.ts";
import { describeEach, inFull, runs } from "../exhaustive.ts";
import { manualClock } from "../stores/clock.ts";
import { type Connection, engines } from "../stores/sqlite-engines.ts";
import { Bench, gate, LOCK_EXPIRED_MS, messageOf, rows, TERMS } from "./sqlite-support.ts";

const QUICK = { retry: { attempts: 5, backoffMs: 10, maxBackoffMs: 10 } };

describeEach(describe, engines)("order in the SQLite inbox on $name", (engine) => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench(engine);
  });

  afterEach(() => bench.close());

  async function addLine(inbox: SqliteInbox, orderingKey: string, names = ["A", "B", "C"]): Promise<void> {
    for (const name of names) await inbox.add(messageOf(`${orderingKey}.${name}`, { orderingKey }), TERMS);
  }

  async function drained(inbox: SqliteInbox): Promise<void> {
    const empty = { waiting: 0, delayed: 0, active: 0 };
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(empty), {
      timeout: 100_000,
      interval: 20,
    });
  }

  it("makes others of the key wait while one waits for its retry, and lets other keys go on", async () => {
    const { now, advance } = manualClock(1_000_000);
    const inbox = bench.inbox({ now, retry: { backoffMs: 1_000, maxBackoffMs: 1_000 } });
    await addLine(inbox, "k");
    await addLine(inbox, "other", ["A", "B"]);
    await inbox.add(messageOf("free"), TERMS);
    const { started } = bench.work(inbox, ({ key }, { number }) => {
      if (key === "k.A" && number < 3) throw new Error("not yet");
    });
    await vi.waitFor(() => expect(started).toHaveLength(4));
    expect([...started].sort()).toEqual(["free", "k.A", "other.A", "other.B"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, delayed: 1 });
    advance(1_000);
    await vi.waitFor(() => expect(started).toHaveLength(5));
    await vi.waitFor(async () => expect(await inbox.stats()).toMatchObject({ waiting: 2, delayed: 1 }));
    advance(1_000);
    await drained(inbox);
    expect(started.slice(4)).toEqual(["k.A", "k.A", "k.B", "k.C"]);
  });

  it("goes on behind an event that is parked", async () => {
    const inbox = bench.inbox();
    await addLine(inbox, "k");
    const { started, parked } = bench.work(inbox, ({ key }) => {
      if (key !== "k.C") throw new ParkEvent("no");
    });
    await drained(inbox);
    expect(started).toEqual(["k.A", "k.B", "k.C"]);
    expect(parked.map(({ key }) => key)).toEqual(["k.A", "k.B"]);
  });

  it("takes a redriven event at its old place", async () => {
    const inbox = bench.inbox();
    await addLine(inbox, "k");
    const { worker, parked } = bench.work(inbox, () => Promise.reject(new ParkEvent("no")), { concurrency: 1 });
    await vi.waitFor(() => expect(parked).toHaveLength(3));
    await worker.close();
    await addLine(inbox, "k", ["D"]);
    // The later one first: it must still wait for the earlier ones.
    for (const name of ["C", "A", "B"]) await inbox.redrive({ keys: [`k.${name}`] });
    const { started } = bench.work(inbox);
    await drained(inbox);
    expect(started).toEqual(["k.A", "k.B", "k.C", "k.D"]);
  });

  it("keeps keys apart that differ after U+0000", async () => {
    const inbox = bench.inbox();
    for (const [key, orderingKey] of Object.entries({ a: "k\u0000a", b: "k\u0000b", c: "k\u0000a", d: "k\u0000b" })) {
      await inbox.add(messageOf(key, { orderingKey }), TERMS);
    }
    expect(rows(bench.open(), "SELECT state FROM bluum_webhook_inbox ORDER BY seq").map(({ state }) => state)).toEqual([
      "waiting",
      "waiting",
      "blocked",
      "blocked",
    ]);
    const { started } = bench.work(inbox);
    await drained(inbox);
    expect(started).toHaveLength(4);
  });

  it("never runs a redriven event beside another of its key", async () => {
    const inbox = bench.inbox();
    await addLine(inbox, "k");
    const { opened, open } = gate();
    const { started } = bench.work(inbox, ({ key }, { number }) => {
      if (key === "k.A" && number === 1 && started.length === 1) throw new ParkEvent("no");
      return key === "k.B" ? opened : undefined;
    });
    await vi.waitFor(() => expect(started).toEqual(["k.A", "k.B"]));
    expect(await inbox.redrive({ all: true })).toBe(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, active: 1 });
    open();
    await drained(inbox);
    expect(started).toEqual(["k.A", "k.B", "k.A", "k.C"]);
  });

  it("holds through a crash in the first one", async () => {
    const { now, advance } = manualClock(1_000_000);
    const frozen = now();
    const inbox = bench.inbox({ now });
    await addLine(inbox, "k");
    const dead = bench.work(bench.inbox({ now: () => frozen }), () => new Promise(() => {}), { concurrency: 1 });
    await vi.waitFor(() => expect(dead.started).toEqual(["k.A"]));
    const { started } = bench.work(inbox);
    advance(LOCK_EXPIRED_MS);
    await drained(inbox);
    expect(started).toEqual(["k.A", "k.B", "k.C"]);
  });

  it("is A A A B C for each of many keys, with two workers on two connections", {
    ...inFull,
    timeout: 120_000,
  }, async () => {
    const inbox = bench.inbox(QUICK);
    const names = Array.from({ length: runs(40, 1_000) }, (__, number) => `key${number}`);
    // Their events are mixed.
    for (const name of ["A", "B", "C"]) await Promise.all(names.map((key) => addLine(inbox, key, [name])));
    const seen = new Map<string, string>(names.map((name) => [name, ""]));
    const running = new Set<string>();
    const beside: string[] = [];
    const handle = async (
      { key, orderingKey = "" }: { key: string; orderingKey?: string },
      attempt: { number: number },
    ) => {
      if (running.has(orderingKey)) beside.push(key);
      running.add(orderingKey);
      seen.set(orderingKey, `${seen.get(orderingKey)}${key.slice(-1)}`);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      running.delete(orderingKey);
      if (key.endsWith("A") && attempt.number < 3) throw new Error("not yet");
    };
    bench.work(inbox, handle, { concurrency: 20 });
    bench.work(bench.inbox(QUICK), handle, { concurrency: 20 });
    await drained(inbox);
    expect(beside).toEqual([]);
    expect([...seen.values()].filter((order) => order !== "AAABC")).toEqual([]);
    expectSound(bench.open());
  });

  it("keeps its lines and counts sound, whatever happens", { ...inFull, timeout: 120_000 }, async () => {
    const inbox = bench.inbox({ retry: { attempts: 2, backoffMs: 1, maxBackoffMs: 1 } });
    const peer = bench.inbox({ retry: { attempts: 2, backoffMs: 1, maxBackoffMs: 1 } });
    const connection = bench.open();
    const handle = () => {
      const dice = Math.random();
      if (dice < 0.2) throw new ParkEvent("no");
      if (dice < 0.5) throw new Error("not yet");
    };
    for (let round = 0; round < runs(8, 60); round += 1) {
      const works = [inbox, peer].map((each) => bench.work(each, handle, { concurrency: 3 }));
      for (let number = 0; number < 20; number += 1) {
        const orderingKey = `key${number % 4}`;
        await inbox.add(messageOf(`${round}.${number}`, { orderingKey, type: `type${number % 3}` }), TERMS);
        expectSound(connection);
      }
      await peer.redrive({ type: "type1" });
      await inbox.discard({ type: "type2" });
      expectSound(connection);
      await Promise.all(works.map(({ worker }) => worker.close({ timeoutMs: round % 2 === 0 ? 0 : 1_000 })));
      expectSound(connection);
    }
    bench.work(inbox);
    await inbox.redrive({ all: true });
    await drained(inbox);
    expectSound(connection);
  });
});

/** Of the unfinished events of a key exactly one may run, and the counts match the rows. */
function expectSound(connection: Connection): void {
  connection.exec("BEGIN");
  const unsound = rows(
    connection,
    `SELECT ordering_key FROM bluum_webhook_inbox WHERE ordering_key IS NOT NULL AND state NOT IN ('parked', 'done')
     GROUP BY ordering_key HAVING sum(state <> 'blocked') <> 1`,
  );
  const counted = rows(
    connection,
    `SELECT name, value FROM bluum_webhook_inbox_meta WHERE name <> 'version' AND value <>
     (SELECT count(*) FROM bluum_webhook_inbox WHERE state = name)`,
  );
  connection.exec("COMMIT");
  expect(unsound).toEqual([]);
  expect(counted).toEqual([]);
}
