import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import Database from "libsql";
import { Pool } from "pg";
import PgBoss from "pg-boss10";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pgBossInbox } from "../../../src/inbox/pg-boss.ts";
import { sqliteInbox } from "../../../src/inbox/sqlite.ts";
import type { DeliveryContext, Receiver } from "../../../src/index.ts";
import { redisStore } from "../../../src/stores/redis.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import { anEvent, bench, signed } from "../../pipeline/receiving.ts";
import { findPostgres, ownDatabase } from "../../services/postgres.ts";
import { canStartRedis, startRedis } from "../../services/redis.ts";

type Event = ReturnType<typeof anEvent>;

let folder: string;
let closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-"));
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
  rmSync(folder, { recursive: true, force: true });
});

/** What a delivery of an event is answered: `{"received":true}`, or with `"duplicate":true`. */
const deliver = async (receiver: Receiver, event: Event) => (await receiver.handle(signed(event))).body;
const NEW = '{"received":true}';
const DUPLICATE = '{"received":true,"duplicate":true}';

function open(file: string): Database.Database {
  const database = new Database(join(folder, file));
  database.exec("PRAGMA synchronous = FULL");
  closers.push(() => database.open && database.close());
  return database;
}

/** A service with its inbox in a file. */
function service(database: Database.Database, handler: (id: string, context: DeliveryContext) => unknown = () => {}) {
  const inbox = sqliteInbox(database, { lockMs: 1_000 });
  const { receiver } = bench({ namespace: "orders", inbox, leaseMs: 1_000, logger: false });
  receiver.on("order.filled", (event, context) => handler(event.id, context));
  const isIdle = async () => {
    const { waiting, delayed, active } = await inbox.stats();
    expect(waiting + delayed + active).toBe(0);
  };
  closers.push(() => receiver.close({ timeoutMs: 5_000 }));
  return { receiver, inbox, untilIdle: () => vi.waitFor(isIdle, { timeout: 15_000, interval: 10 }) };
}

describe("a SQLite inbox", () => {
  /** What docs/guides/recovery.md says: on a connection of its own. */
  function backUp(file: string, copy: string): void {
    const own = new Database(join(folder, file));
    own.exec(`VACUUM INTO '${join(folder, copy)}'`);
    own.close();
  }

  it("that is backed up while its worker runs has every event that was accepted, waiting or done", async () => {
    const [before, since] = [90, 60].map((count) => Array.from({ length: count }, () => anEvent())) as [
      Event[],
      Event[],
    ];
    const runs: string[] = [];
    const live = service(open("live.db"), (id) => void runs.push(id));
    live.receiver.work({ concurrency: 4 });
    for (const event of before) await deliver(live.receiver, event);
    backUp("live.db", "copy.db");
    const runBefore = runs.length;
    for (const event of since) await deliver(live.receiver, event);
    await live.untilIdle();

    const copy = open("copy.db");
    expect(copy.prepare("PRAGMA integrity_check").all()).toMatchObject([{ integrity_check: "ok" }]);
    const restored = service(copy, (id) => void runs.push(id));
    for (const event of before) expect(await deliver(restored.receiver, event)).toBe(DUPLICATE);
    for (const event of since) expect(await deliver(restored.receiver, event)).toBe(NEW);
    runs.splice(runBefore);
    restored.receiver.work();
    await restored.untilIdle();
    expect(new Set(runs)).toEqual(new Set([...before, ...since].map(({ event_id }) => event_id)));
  });

  it("that is restored knows what was processed before, runs what waited, and has lost what came since", async () => {
    const runs: string[] = [];
    const first = open("webhooks.db");
    const live = service(first, (id) => void runs.push(id));
    const [processed, waiting, since] = [anEvent(), anEvent(), anEvent()];
    await deliver(live.receiver, processed);
    const worker = live.receiver.work();
    await live.untilIdle();
    await worker.close();
    await deliver(live.receiver, waiting);
    backUp("webhooks.db", "copy.db");
    live.receiver.work();
    await deliver(live.receiver, since);
    await live.untilIdle();
    expect(runs.toSorted()).toEqual([processed, waiting, since].map(({ event_id }) => event_id).toSorted());
    await live.receiver.close();
    first.close();

    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, `webhooks.db${suffix}`), { force: true });
    copyFileSync(join(folder, "copy.db"), join(folder, "webhooks.db"));
    runs.length = 0;
    const restored = service(open("webhooks.db"), (id) => void runs.push(id));
    expect(await deliver(restored.receiver, processed)).toBe(DUPLICATE);
    expect(await deliver(restored.receiver, waiting)).toBe(DUPLICATE);
    expect(await deliver(restored.receiver, since)).toBe(NEW);
    restored.receiver.work();
    await restored.untilIdle();
    expect(runs.toSorted()).toEqual([waiting.event_id, since.event_id].toSorted());
  });

  it("is not in its file alone: cp misses the newest commits", async () => {
    const live = service(open("webhooks.db"));
    await deliver(live.receiver, anEvent());
    expect((await live.inbox.stats()).waiting).toBe(1);
    expect(existsSync(join(folder, "webhooks.db-wal"))).toBe(true);
    copyFileSync(join(folder, "webhooks.db"), join(folder, "cp.db"));
    expect((await service(open("cp.db")).inbox.stats()).waiting).toBe(0);
  });

  it("that is restored alone repeats nothing, if what was done is remembered beside the effects", async () => {
    const ledger = open("ledger.db");
    ledger.exec("CREATE TABLE ledger (event TEXT)");
    const store = sqliteStore(ledger);
    let runs = 0;
    const withStore = (file: string) => {
      const inbox = sqliteInbox(open(file));
      const { receiver } = bench({ namespace: "orders", inbox, store, logger: false });
      receiver.on("order.filled", async (event, context) => {
        runs += 1;
        await store.transaction(context, () => ledger.prepare("INSERT INTO ledger VALUES (?)").run(event.id));
      });
      closers.push(() => receiver.close({ timeoutMs: 5_000 }));
      const untilDone = async () => vi.waitFor(async () => expect(await inbox.stats()).toMatchObject(IDLE), 10_000);
      return { receiver, untilDone };
    };
    const rows = () => ledger.prepare("SELECT event FROM ledger").all();

    const live = withStore("inbox.db");
    const event = anEvent();
    await deliver(live.receiver, event);
    backUp("inbox.db", "copy.db");
    live.receiver.work();
    await live.untilDone();
    expect([runs, rows()]).toMatchObject([1, [{ event: event.event_id }]]);

    const restored = withStore("copy.db");
    restored.receiver.work();
    await restored.untilDone();
    expect([runs, rows()]).toMatchObject([1, [{ event: event.event_id }]]);

    // The other way about: effects and completions go back, and the inbox does not.
    ledger.exec("DELETE FROM ledger; DELETE FROM bluum_webhook_events");
    expect(await deliver(restored.receiver, event)).toBe(DUPLICATE);
    expect(rows()).toEqual([]);
    await restored.receiver.forget({ type: "order.filled", id: event.event_id });
    expect(await deliver(restored.receiver, event)).toBe(NEW);
    await vi.waitFor(() => expect(rows()).toMatchObject([{ event: event.event_id }]), 10_000);
  });
});

const IDLE = { waiting: 0, delayed: 0, active: 0 };

describe.skipIf(!(await canStartRedis()))("a store in Redis", () => {
  it("that is restored from dump.rdb knows what was processed before it, and not what came since", async () => {
    const live = await startRedis();
    closers.push(() => live.stop());
    const client = connect(live.url);
    const [before, since] = [anEvent(), anEvent()];
    const receiverOn = (redis: Redis) => bench({ store: redisStore(redis), logger: false }).receiver.on("*", () => {});
    expect(await deliver(receiverOn(client), before)).toBe(NEW);
    await client.save();
    expect(await deliver(receiverOn(client), since)).toBe(NEW);
    const [, directory = ""] = (await client.config("GET", "dir")) as string[];
    copyFileSync(join(directory, "dump.rdb"), join(folder, "dump.rdb"));

    const restored = await startRedis("--dir", folder, "--appendonly", "no");
    closers.push(() => restored.stop());
    const again = connect(restored.url);
    expect(await deliver(receiverOn(again), before)).toBe(DUPLICATE);
    expect(await deliver(receiverOn(again), since)).toBe(NEW);

    // As the page says: the append-only file is switched on afterwards. Then all of it is in there.
    await again.config("SET", "appendonly", "yes");
    await vi.waitFor(
      async () => expect(await again.info("persistence")).toContain("aof_rewrite_in_progress:0"),
      10_000,
    );
    await restored.kill();
    const third = await startRedis("--dir", folder, "--appendonly", "yes");
    closers.push(() => third.stop());
    expect(await deliver(receiverOn(connect(third.url)), before)).toBe(DUPLICATE);
  });

  it("that starts with an append-only file does not read a dump.rdb", async () => {
    const live = await startRedis();
    closers.push(() => live.stop());
    const client = connect(live.url);
    await client.set("a", "1");
    await client.save();
    const [, directory = ""] = (await client.config("GET", "dir")) as string[];
    copyFileSync(join(directory, "dump.rdb"), join(folder, "dump.rdb"));
    const empty = await startRedis("--dir", folder, "--appendonly", "yes");
    closers.push(() => empty.stop());
    expect(await connect(empty.url).get("a")).toBeNull();
  });

  function connect(url: string): Redis {
    const client = new Redis(url);
    client.on("error", () => {});
    closers.push(() => client.disconnect());
    return client;
  }
});

const postgres = await findPostgres();
const hasPgDump = await promisify(execFile)("pg_dump", ["--version"]).then(
  () => true,
  () => false,
);
if (!hasPgDump && process.env.CI === "true") throw new Error("pg_dump is not installed.");

describe.skipIf(!postgres || !hasPgDump)("an inbox in pg-boss", { timeout: 60_000 }, () => {
  afterAll(() => postgres?.stop());

  it("that is restored from pg_dump runs what waited in it, and knows what was processed", async () => {
    const [live, copy] = [await ownDatabase(postgres?.url ?? ""), await ownDatabase(postgres?.url ?? "")];
    closers.push(
      () => live.drop(),
      () => copy.drop(),
    );
    const [processed, waiting] = [anEvent(), anEvent()];
    const runs: string[] = [];
    const first = await bossService(live.url, runs);
    await deliver(first.receiver, processed);
    const worker = first.receiver.work({ pollMs: 50 });
    await vi.waitFor(() => expect(runs).toEqual([processed.event_id]), 20_000);
    await worker.close();
    await deliver(first.receiver, waiting);

    const file = join(folder, "dump.sql");
    await promisify(execFile)("pg_dump", ["--no-owner", "--file", file, "--dbname", live.url]);
    await promisify(execFile)("psql", ["--quiet", "--set", "ON_ERROR_STOP=1", "--file", file, "--dbname", copy.url]);

    const restored = await bossService(copy.url, runs);
    for (const event of [processed, waiting]) expect(await deliver(restored.receiver, event)).toBe(DUPLICATE);
    restored.receiver.work({ pollMs: 50 });
    await vi.waitFor(() => expect(runs).toEqual([processed.event_id, waiting.event_id]), 20_000);
  });

  async function bossService(url: string, runs: string[]) {
    const boss = new PgBoss({ connectionString: url });
    const pool = new Pool({ connectionString: url, max: 4 });
    for (const each of [boss, pool]) each.on("error", () => {});
    await boss.start();
    const { receiver } = bench({
      namespace: "orders",
      inbox: pgBossInbox(boss, { pool, queue: "orders" }),
      logger: false,
    });
    receiver.on("order.filled", (event) => void runs.push(event.id));
    closers.push(async () => {
      await receiver.close({ timeoutMs: 5_000 });
      await boss.stop({ graceful: false });
      await pool.end();
    });
    return { receiver };
  }
});
