import { readFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { type Statement, statementsFor } from "../../src/stores/postgres/sql.ts";
import { type PostgresClient, type PostgresStoreOptions, postgresStore } from "../../src/stores/postgres.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { exhaustive, inFull, runs } from "../exhaustive.ts";
import { findPostgres, ownSchema } from "../services/postgres.ts";
import { describeStoreContract } from "./contract.ts";
import { modelTest } from "./model.ts";
import {
  type Opened,
  openPglite,
  openPool,
  openPostgresJs,
  pairOf,
  type StoreInSchema,
  storeInPglite,
  storeInSchema,
} from "./postgres-subjects.ts";

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 3_600_000;
const DOCUMENTATION = new URL("../../docs/guides/postgres.md", import.meta.url);

const service = await findPostgres();
const url = service?.url ?? "";
const shared: { close(): Promise<unknown> }[] = [];
const made: { dispose(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of made.splice(0).reverse()) await one.dispose();
});
afterAll(async () => {
  for (const one of shared) await one.close();
  await service?.stop();
});

function pair(open: (url: string) => Opened) {
  const both = pairOf(url, open);
  shared.push(both);
  return both.create;
}

const isolated = (level: string) => (at: string) =>
  openPool(at, { options: `-c default_transaction_isolation=${level.replace(" ", "\\ ")}` });

function poolFor(config?: Parameters<typeof openPool>[1]) {
  const opened = openPool(url, config);
  made.push({ dispose: async () => void (await opened.close()) });
  return opened.client;
}

async function fresh(options?: PostgresStoreOptions): Promise<StoreInSchema<ReturnType<typeof poolFor>>> {
  const subject = await storeInSchema(url, poolFor(), options);
  made.push(subject);
  return subject;
}

/** A client that notes the texts of what is asked. */
function noting(client: PostgresClient): { client: PostgresClient; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    client: {
      query(text, values) {
        asked.push(text);
        return client.query(text, values);
      },
    },
  };
}

async function claimed(store: DedupeStore, key: string, leaseMs = LEASE_MS): Promise<string> {
  const token = `token of ${key}`;
  expect(await store.claim(key, { token, leaseMs })).toEqual({ status: "claimed" });
  return token;
}

/** Lets a lease of a millisecond expire. */
function expire(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

async function completed(store: DedupeStore, key: string, retentionMs = RETENTION_MS): Promise<void> {
  const token = await claimed(store, key);
  expect(await store.complete(key, { token, retentionMs })).toBe("stored");
}

async function keysIn({ client, schema }: StoreInSchema): Promise<unknown[]> {
  const { rows } = await client.query(`SELECT key FROM "${schema}".bluum_webhook_events ORDER BY key`, []);
  return rows.map((row) => (row as { key: string }).key);
}

describe.skipIf(!service)("the PostgreSQL store on a real server", () => {
  describeStoreContract("through pg", pair(openPool));
  describeStoreContract("through postgres.js", pair(openPostgresJs), { crowd: false });
  describe.runIf(exhaustive)("in full", inFull, () => {
    describeStoreContract("under REPEATABLE READ", pair(isolated("repeatable read")));
  });
  describeStoreContract("under SERIALIZABLE", pair(isolated("serializable")), { crowd: false });
});

describe("the PostgreSQL store in PGlite", async () => {
  const pglite = await openPglite();
  shared.push(pglite);
  const { store } = await storeInPglite(pglite.client, { timeoutMs: 10_000 });
  const create = () => ({ store });
  describeStoreContract("through PGlite", create, { crowd: false });

  it("answers as the state machine does", { ...inFull, timeout: 120_000 }, () => modelTest(create, runs(8, 50)));
});

describe.skipIf(!service)("the PostgreSQL store against the model", () => {
  it("answers as the state machine does", { ...inFull, timeout: 120_000 }, () =>
    modelTest(pair(openPool), runs(20, 200), { rowLocks: true }),
  );
});

describe.skipIf(!service)("what the store sends", () => {
  it("is one statement a verb", async () => {
    const { another, client } = await fresh();
    const { client: noted, asked } = noting(client);
    const store = another(noted);
    const by = { token: "t", leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
    const statementsOf = async (verb: () => Promise<unknown> | undefined) => {
      asked.length = 0;
      await verb();
      return asked.length;
    };
    expect(await statementsOf(() => store.claim("event", by))).toBe(1);
    expect(await statementsOf(() => store.claim("event", by))).toBe(1);
    expect(await statementsOf(() => store.claim("event", { ...by, token: "other" }))).toBe(1);
    expect(await statementsOf(() => store.renew("event", by))).toBe(1);
    expect(await statementsOf(() => store.complete("event", by))).toBe(1);
    expect(await statementsOf(() => store.claim("event", { ...by, token: "other" }))).toBe(1);
    expect(await statementsOf(() => store.complete("event", { ...by, token: "other" }))).toBe(1);
    expect(await statementsOf(() => store.release("event", by))).toBe(1);
    expect(await statementsOf(() => store.forget("event"))).toBe(1);
  });

  it("writes nothing for a duplicate", async () => {
    const { store, client, schema } = await fresh();
    const other = { token: "other", leaseMs: LEASE_MS, retentionMs: RETENTION_MS };
    const version = async () =>
      (await client.query(`SELECT xmin::text || ' ' || xmax::text AS mark FROM "${schema}".bluum_webhook_events`)).rows;
    const token = await claimed(store, "event");
    const before = await version();
    expect(await store.claim("event", other)).toMatchObject({ status: "in_flight" });
    expect(await version()).toEqual(before);
    await store.complete("event", { token, retentionMs: RETENTION_MS });
    const after = await version();
    expect(await store.claim("event", other)).toEqual({ status: "completed" });
    expect(await store.complete("event", other)).toBe("completed_by_another");
    expect(await version()).toEqual(after);
  });

  it("leaves the connection's settings as they were", async () => {
    const client = poolFor({ max: 1 });
    const { store, dispose } = await storeInSchema(url, client);
    made.push({ dispose });
    const token = await claimed(store, "event");
    await store.renew("event", { token, leaseMs: LEASE_MS });
    expect((await client.query("SHOW lock_timeout")).rows).toEqual([{ lock_timeout: "0" }]);
  });

  it("is prepared once a connection by pg, unless told otherwise", async () => {
    const client = poolFor({ max: 1 });
    const subject = await storeInSchema(url, client);
    made.push(subject);
    const prepared = async () =>
      (await client.query("SELECT name FROM pg_prepared_statements WHERE name LIKE 'bluum_claim_%'")).rowCount;
    await claimed(subject.another(client, { prepare: false }), "one");
    expect(await prepared()).toBe(0);
    for (const key of ["two", "three"]) await claimed(subject.store, key);
    expect(await prepared()).toBe(1);
    await claimed(subject.another(client, { timeoutMs: 100 }), "four");
    expect(await prepared()).toBe(2);
  });

  it("finds rows by the primary key and expired ones by the index, even with wrong statistics", async () => {
    const { client, schema } = await fresh();
    const events = `"${schema}".bluum_webhook_events`;
    const sql = statementsFor({ table: "bluum_webhook_events", schema, ownLockMs: 1, claimLockMs: 1 });
    const verbs: [Statement, unknown[]][] = [
      [sql.claim, ["key", "token", 1]],
      [sql.renew, ["key", "token", 1]],
      [sql.complete, ["key", "token", 1]],
      [sql.completeIn, ["key", "token", 1]],
      [sql.release, ["key", "token"]],
      [sql.forget, ["key"]],
    ];
    const planOf = async ({ text }: Statement, values: unknown[]) =>
      (await client.query(`EXPLAIN ${text}`, values)).rows.map((row) => row["QUERY PLAN"]).join("\n");
    await client.query(
      `INSERT INTO ${events} (key, token, completed, expires_at)
       SELECT 'filling/' || n, 'token', true, clock_timestamp() FROM generate_series(1, 20000) AS n`,
    );
    // Every row has expired, then none; each time the statistics say the opposite.
    for (const then of ["interval '1 week'", "- interval '1 week'"]) {
      await client.query(`ANALYZE ${events}`);
      await client.query(`UPDATE ${events} SET expires_at = clock_timestamp() + ${then}`);
      for (const [statement, values] of verbs) {
        const plan = await planOf(statement, values);
        expect(plan).toContain("bluum_webhook_events_pkey");
        expect(plan).not.toMatch(/Seq Scan|expires_at on/);
      }
      const plan = await planOf(sql.purge, [1_000, "-infinity"]);
      expect(plan).toMatch(/Index Scan using bluum_webhook_events_expires_at on[\s\S]*Tid Scan/);
      expect(plan).not.toMatch(/Seq Scan/);
    }
  });
});

describe.skipIf(!service)("the table", () => {
  it("is made once by twenty processes that start at the same time", async () => {
    const schema = await ownSchema(url);
    const pools = Array.from({ length: 5 }, () => openPool(url, { max: 4 }));
    try {
      const stores = pools.flatMap(({ client }) =>
        Array.from({ length: 4 }, () => postgresStore(client, { schema: schema.name })),
      );
      await Promise.all(stores.map((store) => store.migrate()));
      await Promise.all(stores.map((store) => store.migrate()));
      for (const [place, store] of stores.entries()) await claimed(store, `event ${place}`);
      const { rows } = await (pools[0] as (typeof pools)[0]).client.query(
        "SELECT indexname FROM pg_indexes WHERE schemaname = $1",
        [schema.name],
      );
      expect(rows).toHaveLength(2);
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
      await schema.drop();
    }
  });

  it("is not touched by a later migration, which waits for no transaction and needs no right to create", async () => {
    const { store, client, schema } = await fresh();
    const open = await client.connect();
    try {
      await open.query("BEGIN");
      await open.query(
        `INSERT INTO "${schema}".bluum_webhook_events (key, token, completed, expires_at) VALUES ('k', 't', true, now())`,
      );
      const readOnly = poolFor({ options: "-c default_transaction_read_only=on" });
      const before = performance.now();
      await postgresStore(readOnly, { schema }).migrate();
      await store.migrate();
      expect(performance.now() - before).toBeLessThan(1_000);
    } finally {
      await open.query("ROLLBACK");
      open.release();
    }
  });

  it("is made as the documentation prints it", async () => {
    const printed = /```sql\n(CREATE TABLE[^`]*)```/.exec(readFileSync(DOCUMENTATION, "utf8"))?.[1] ?? "";
    const schema = await ownSchema(url);
    made.push({ dispose: schema.drop });
    const { client, asked } = noting(poolFor({ options: `-c search_path=${schema.name}` }));
    await postgresStore(client).migrate();
    const ran = asked.filter((text) => text.startsWith("CREATE"));
    expect(ran.map((text) => `${text};`).join("\n\n")).toBe(printed.trim());
    await claimed(postgresStore(client), "event");
  });

  const NAMES = [
    'we"ird',
    "Sp ace",
    "it's",
    "back\\slash",
    "$1",
    "täble",
    "select",
    "x".repeat(63),
    `${"ü".repeat(31)}x`,
    "a.b",
  ];
  it.each(NAMES)("may be called %s, and so may its schema", async (name) => {
    const schema = await ownSchema(url, `${name.slice(0, 12)} ${Date.now()}`);
    made.push({ dispose: schema.drop });
    const client = poolFor();
    const store = postgresStore(client, { table: name, schema: schema.name });
    await Promise.all([store.migrate(), store.migrate()]);
    await store.migrate();
    await completed(store, "event");
    expect(await store.purge()).toBe(0);
    const { rows } = await client.query(
      "SELECT c.relname, i.relname AS index FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid WHERE n.nspname = $1",
      [schema.name],
    );
    expect(rows.map((row) => row.relname)).toEqual([name, name]);
  });

  it("is another one under another name, even if the names differ in their last character only", async () => {
    const { client, schema } = await fresh();
    const names = ["x".repeat(62).concat("a"), "x".repeat(62).concat("b"), "X"];
    for (const table of names) {
      const store = postgresStore(client, { table, schema });
      await store.migrate();
      await claimed(store, "event");
    }
    const { rows } = await client.query(
      "SELECT count(*)::int AS indices FROM pg_indexes WHERE schemaname = $1 AND tablename <> 'bluum_webhook_events'",
      [schema],
    );
    expect(rows[0].indices).toBe(6);
  });

  it("compares keys byte by byte, whatever the database's collation", async () => {
    const { client, schema } = await fresh();
    const { rows } = await client.query(
      "SELECT collation_name FROM information_schema.columns WHERE table_schema = $1 AND column_name = 'key'",
      [schema],
    );
    expect(rows).toEqual([{ collation_name: "C" }]);
  });
});

describe.skipIf(!service)("purging", () => {
  it("deletes expired records in batches and returns how many", async () => {
    const subject = await fresh();
    const { store, client, schema } = subject;
    await completed(store, "kept");
    await claimed(store, "held");
    await client.query(
      `INSERT INTO "${schema}".bluum_webhook_events (key, token, completed, expires_at)
       SELECT 'ended/' || n, 'token', n % 2 = 0, clock_timestamp() - n * interval '1 second' FROM generate_series(1, 25) AS n`,
    );
    const { client: noted, asked } = noting(client);
    expect(await subject.another(noted).purge({ batch: 10 })).toBe(25);
    expect(asked).toHaveLength(3);
    expect(await store.purge()).toBe(0);
    expect(await keysIn(subject)).toEqual(["held", "kept"]);
  });

  it("leaves rows that others have locked, without waiting", async () => {
    const subject = await fresh();
    const { store, client, schema } = subject;
    for (const key of ["locked", "free"]) await claimed(store, key, 1);
    await expire();
    const open = await client.connect();
    await open.query("BEGIN");
    await open.query(`SELECT FROM "${schema}".bluum_webhook_events WHERE key = 'locked' FOR UPDATE`);
    expect(await store.purge()).toBe(1);
    await open.query("ROLLBACK");
    open.release();
    expect(await store.purge()).toBe(1);
    expect(await keysIn(subject)).toEqual([]);
  });

  it("deletes each row once when several purge at once", async () => {
    const { store, another, client, schema } = await fresh();
    await client.query(
      `INSERT INTO "${schema}".bluum_webhook_events (key, token, completed, expires_at)
       SELECT 'ended/' || n, 'token', true, clock_timestamp() FROM generate_series(1, 2000) AS n`,
    );
    const counts = await Promise.all([store, another(), another(), another()].map((one) => one.purge({ batch: 50 })));
    expect(counts.reduce((sum, count) => sum + count, 0) + (await store.purge())).toBe(2_000);
  });

  it("never deletes an event that is claimed at the same time", async () => {
    const { store, another } = await fresh();
    const keys = Array.from({ length: 50 }, (_, place) => `event ${place}`);
    for (const key of keys) await store.claim(key, { token: "expired", leaseMs: 1 });
    await expire();
    const purging = another();
    await Promise.all([
      // A claim that meets the purge for too long is answered in_flight, as any claim that meets a lock.
      ...keys.map((key) => vi.waitFor(() => claimed(store, key), { timeout: 10_000 })),
      purging.purge({ batch: 5 }),
      purging.purge({ batch: 7 }),
    ]);
    for (const key of keys) expect(await store.renew(key, { token: `token of ${key}`, leaseMs: LEASE_MS })).toBe(true);
  });

  it.each([0, 1.5, -1, 100_001, Number.NaN])("refuses a batch of %s", async (batch) => {
    const { store } = await fresh();
    await expect(store.purge({ batch })).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

describe.skipIf(!service)("purging in the background", () => {
  const ending = { token: "token", leaseMs: 1 };

  it("goes on by itself until the store is closed", async () => {
    const subject = await fresh({ purgeEveryMs: 1_000 });
    await subject.store.claim("first", ending);
    await vi.waitUntil(async () => (await keysIn(subject)).length === 0, { timeout: 10_000, interval: 50 });
    await subject.store.claim("second", ending);
    await vi.waitUntil(async () => (await keysIn(subject)).length === 0, { timeout: 10_000, interval: 50 });
    await subject.store.close();
    await claimed(subject.store, "the pool is open");
  });

  it("runs in one process at a time", async () => {
    const subject = await fresh();
    const open = await subject.client.connect();
    const sql = statementsFor({ table: "bluum_webhook_events", schema: subject.schema, ownLockMs: 1, claimLockMs: 1 });
    await open.query("BEGIN");
    await open.query(sql.purgeInTurn.text, [1, "-infinity"]);
    const { client, asked } = noting(subject.client);
    const store = subject.another(client, { purgeEveryMs: 1_000 });
    await store.claim("event", ending);
    try {
      const turns = () => asked.filter((text) => text.includes("pg_try_advisory_xact_lock")).length;
      await vi.waitUntil(() => turns() >= 2, { timeout: 10_000, interval: 50 });
      expect(await keysIn(subject)).toEqual(["event"]);
      await open.query("COMMIT");
      await vi.waitUntil(async () => (await keysIn(subject)).length === 0, { timeout: 10_000, interval: 50 });
    } finally {
      open.release();
      await store.close();
    }
  });

  it("warns once that it fails, and goes on", async () => {
    const subject = await fresh();
    const warnings: string[] = [];
    let down = true;
    let asked = 0;
    const client: PostgresClient = {
      async query(text, values) {
        asked += 1;
        if (down) throw new Error("no way");
        return subject.client.query(text, values);
      },
    };
    const warn = (message: string) => {
      warnings.push(message);
      throw new Error("a warn that throws");
    };
    const store = subject.another(client, { purgeEveryMs: 1_000, warn });
    await subject.store.claim("event", ending);
    await vi.waitUntil(() => asked >= 2, { timeout: 10_000, interval: 50 });
    expect(warnings).toEqual([
      "bluum-webhooks: PostgreSQL could not purge: no way. The next background purge tries again.",
    ]);
    down = false;
    await vi.waitUntil(async () => (await keysIn(subject)).length === 0, { timeout: 10_000, interval: 50 });
    await store.close();
  });
});

describe("making a PostgreSQL store", () => {
  const client: PostgresClient = { query: async () => ({ rows: [] }) };

  it.each([
    ["table", { table: "" }],
    ["table", { table: "x".repeat(64) }],
    ["table", { table: "ü".repeat(32) }],
    ["table", { table: "a\0b" }],
    ["table", { table: "\ud800" }],
    ["table", { table: 7 }],
    ["schema", { schema: "" }],
    ["schema", { schema: "x".repeat(64) }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: 10_001 }],
    ["timeoutMs", { timeoutMs: "2000" }],
    ["purgeEveryMs", { purgeEveryMs: 999 }],
    ["purgeEveryMs", { purgeEveryMs: 2 ** 31 }],
    ["prepare", { prepare: "no" }],
    ["warn", { warn: true }],
    ["tabel", { tabel: "typo" }],
  ])("refuses a bad %s: %j", (option, options) => {
    expect(() => postgresStore(client, options as PostgresStoreOptions)).toThrow(
      expect.objectContaining({ code: "configuration_invalid", message: expect.stringContaining(option) }),
    );
  });

  it.each([undefined, null, "postgres://", {}, () => {}])(
    "refuses %s as a client, and points to the adapter",
    (nobody) => {
      expect(() => postgresStore(nobody as unknown as PostgresClient)).toThrow(
        expect.objectContaining({ code: "configuration_invalid", message: expect.stringContaining("postgres.js") }),
      );
    },
  );

  it("asks nothing of the client, and starts no timer", () => {
    vi.useFakeTimers();
    try {
      const query = vi.fn(client.query);
      postgresStore({ query });
      expect(query).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
