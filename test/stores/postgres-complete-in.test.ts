import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import postgres from "postgres";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { memoryStore } from "../../src/stores/memory.ts";
import { type PostgresClient, type PostgresStore, postgresStore } from "../../src/stores/postgres.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { ClaimedContext } from "../../src/stores/transaction.ts";
import { exhaustive, inFull, runs } from "../exhaustive.ts";
import { findPostgres } from "../services/postgres.ts";
import {
  adapted,
  openPglite,
  openPool,
  type StoreInSchema,
  storeInPglite,
  storeInSchema,
} from "./postgres-subjects.ts";

const LEASE_MS = 30_000;
/** A lease that expires before the next claim. */
const SHORT_MS = 2;
const RETENTION_MS = 7 * 24 * 3_600_000;
const KEY = "ledger/transfer.deposit.completed/evt_1";

const service = await findPostgres();
const url = service?.url ?? "";
const made: { dispose(): Promise<unknown> }[] = [];
const pglite = await openPglite();

afterEach(async () => {
  for (const one of made.splice(0).reverse()) await one.dispose();
});
afterAll(async () => {
  await pglite.close();
  await service?.stop();
});

/** A way to run transactions, with a ledger to write to. */
interface Bank {
  readonly store: PostgresStore;
  /** Runs the work in a transaction; a throw rolls it back. */
  transaction(work: (client: PostgresClient) => Promise<void>): Promise<void>;
  /** Books a row, by a client of a transaction. */
  book(client: PostgresClient): Promise<unknown>;
  /** How many rows are booked for all to see. */
  booked(): Promise<number>;
}

async function bankOf<Client extends PostgresClient>(
  { store, schema, client }: StoreInSchema<Client>,
  transaction: Bank["transaction"],
): Promise<Bank> {
  const ledger = `"${schema}".ledger`;
  await client.query(`CREATE TABLE ${ledger} (amount numeric)`, []);
  return {
    store,
    transaction,
    book: (by) => by.query(`INSERT INTO ${ledger} VALUES ($1::numeric)`, ["12.50"]),
    booked: async () => (await client.query(`SELECT FROM ${ledger}`, [])).rows.length,
  };
}

function pool(config?: Parameters<typeof openPool>[1]) {
  const opened = openPool(url, config);
  made.push({ dispose: () => opened.close() });
  return opened.client;
}

async function pgBank(config?: Parameters<typeof openPool>[1]) {
  const client = pool(config);
  const subject = await storeInSchema(url, client);
  made.push(subject);
  const bank = await bankOf(subject, async (work) => {
    const own = await client.connect();
    try {
      await own.query("BEGIN");
      await work(own);
      await own.query("COMMIT");
    } catch (error) {
      await own.query("ROLLBACK");
      throw error;
    } finally {
      own.release();
    }
  });
  return { ...bank, ...subject };
}

async function pgliteBank(): Promise<Bank> {
  const subject = await storeInPglite(pglite.client);
  made.push(subject);
  return bankOf(subject, (work) => pglite.client.transaction(work));
}

function openSql() {
  const sql = postgres(url, { onnotice: () => {} });
  made.push({ dispose: () => sql.end() });
  return sql;
}

async function postgresJsBank(): Promise<Bank> {
  const sql = openSql();
  const subject = await storeInSchema(url, adapted(sql));
  made.push(subject);
  return bankOf(subject, async (work) => void (await sql.begin((own) => work(adapted(own)))));
}

/** A claimed event, and the context of its delivery. A short lease has expired by then. */
async function delivery(store: DedupeStore, leaseMs = LEASE_MS, handOver = () => {}) {
  const token = randomUUID();
  expect(await store.claim(KEY, { token, leaseMs })).toEqual({ status: "claimed" });
  const written = { handOver, completionWritten: () => {} };
  const context = new ClaimedContext({ store, key: KEY, token, retentionMs: RETENTION_MS, ...written });
  if (leaseMs === SHORT_MS) await new Promise((resolve) => setTimeout(resolve, 10 * SHORT_MS));
  return { context, token, claimAgain: () => store.claim(KEY, { token, leaseMs: LEASE_MS }) };
}

function stranger(store: DedupeStore, leaseMs = LEASE_MS) {
  return store.claim(KEY, { token: randomUUID(), leaseMs });
}

async function inTime<Answer>(answer: Promise<Answer>): Promise<[Answer, number]> {
  const before = performance.now();
  return [await answer, performance.now() - before];
}

const lost = expect.objectContaining({ name: "WebhookError", code: "claim_lost" });
const misuse = expect.objectContaining({ name: "WebhookError", code: "configuration_invalid" });

const BANKS: [string, boolean, () => Promise<Bank>][] = [
  ["pg", service !== undefined, pgBank],
  ["PGlite", true, pgliteBank],
  ["postgres.js", service !== undefined, postgresJsBank],
];

for (const [name, there, open] of BANKS) {
  describe.skipIf(!there)(`completing in a transaction of ${name}`, () => {
    it("is committed with it", async () => {
      const { store, transaction, book, booked } = await open();
      const { context, claimAgain } = await delivery(store);
      await transaction(async (client) => {
        await book(client);
        await store.completeIn(context, client);
      });
      expect(await booked()).toBe(1);
      expect(await claimAgain()).toEqual({ status: "completed" });
      expect(await stranger(store)).toEqual({ status: "completed" });
    });

    it("is rolled back with it, and the claim is as before", async () => {
      const { store, transaction, book, booked } = await open();
      const { context, claimAgain } = await delivery(store);
      const work = transaction(async (client) => {
        await store.completeIn(context, client);
        await book(client);
        throw new Error("changed my mind");
      });
      await expect(work).rejects.toThrow("changed my mind");
      expect(await booked()).toBe(0);
      expect(await stranger(store)).toMatchObject({ status: "in_flight" });
      expect(await claimAgain()).toEqual({ status: "claimed" });
    });

    it("throws claim_lost if another holds the event, and the work is rolled back", async () => {
      const { store, transaction, book, booked } = await open();
      const { context } = await delivery(store, SHORT_MS);
      await delivery(store);
      const work = transaction(async (client) => {
        await book(client);
        await store.completeIn(context, client);
      });
      await expect(work).rejects.toEqual(lost);
      expect(await booked()).toBe(0);
    });

    it("throws claim_lost if another has completed the event", async () => {
      const { store, transaction, booked, book } = await open();
      const { context } = await delivery(store, SHORT_MS);
      const { token } = await delivery(store);
      await store.complete(KEY, { token, retentionMs: RETENTION_MS });
      const work = transaction(async (client) => {
        await book(client);
        await store.completeIn(context, client);
      });
      await expect(work).rejects.toEqual(lost);
      expect(await booked()).toBe(0);
    });

    it("throws claim_lost if an earlier transaction of the same delivery was committed", async () => {
      const { store, transaction, book, booked } = await open();
      const { context } = await delivery(store);
      const work = () =>
        transaction(async (client) => {
          await book(client);
          await store.completeIn(context, client);
        });
      await work();
      await expect(work()).rejects.toEqual(lost);
      expect(await booked()).toBe(1);
    });

    it("completes a claim that expired and that no other token took, purged or not", async () => {
      for (const purge of [false, true]) {
        const { store, transaction } = await open();
        const { context, token } = await delivery(store, SHORT_MS);
        if (purge) expect(await store.purge()).toBe(1);
        await transaction((client) => store.completeIn(context, client));
        expect(await stranger(store)).toEqual({ status: "completed" });
        expect(await store.complete(KEY, { token, retentionMs: RETENTION_MS })).toBe("stored");
      }
    });

    it("remembers the event for the retention, counted from the completion", async () => {
      const { store, transaction } = await open();
      const { token } = await delivery(store);
      const context = new ClaimedContext({
        store,
        key: KEY,
        token,
        retentionMs: 1,
        handOver() {},
        completionWritten() {},
      });
      await transaction((client) => store.completeIn(context, client));
      await expect.poll(() => stranger(store)).toEqual({ status: "claimed" });
    });
  });
}

describe("what completeIn refuses", () => {
  it("is an object that is no context, or a context of another store's receiver", async () => {
    const { store, transaction } = await pgliteBank();
    const { context } = await delivery(memoryStore());
    await expect(transaction((client) => store.completeIn({}, client))).rejects.toEqual(misuse);
    await expect(transaction((client) => store.completeIn(context, client))).rejects.toEqual(misuse);
  });

  it("is the store's own client, before renewals are stopped", async () => {
    const { store } = await pgliteBank();
    let handedOver = false;
    const { context, claimAgain } = await delivery(store, LEASE_MS, () => {
      handedOver = true;
    });
    await expect(store.completeIn(context, pglite.client)).rejects.toEqual(misuse);
    await expect(store.completeIn(context, undefined as unknown as PostgresClient)).rejects.toEqual(misuse);
    expect(handedOver).toBe(false);
    expect(await claimAgain()).toEqual({ status: "claimed" });
  });

  it.skipIf(!service)("is any pool of pg, and a client of pg that is in no transaction", async () => {
    const { store, client } = await pgBank();
    const { context, claimAgain } = await delivery(store);
    await expect(store.completeIn(context, client)).rejects.toEqual(misuse);
    await expect(store.completeIn(context, pool())).rejects.toEqual(misuse);
    const own = await client.connect();
    await expect(store.completeIn(context, own)).rejects.toThrow("send BEGIN first");
    await own.query("BEGIN");
    await store.completeIn(context, own);
    await own.query("ROLLBACK");
    own.release();
    expect(await claimAgain()).toEqual({ status: "claimed" });
  });

  it.each<[string, boolean, () => PostgresClient]>([
    ["pg 8.11, which does not tell whether it is in a transaction,", service !== undefined, () => statusless(pool())],
    ["postgres.js", service !== undefined, () => adapted(openSql())],
    ["PGlite", true, () => statusless(pglite.client)],
  ])("is a client of %s outside a transaction: nothing is completed alone", async (name, there, open) => {
    if (!there) return;
    const { store, transaction } = name === "PGlite" ? await pgliteBank() : await pgBank();
    let handedOver = false;
    const { context, claimAgain } = await delivery(store, LEASE_MS, () => {
      handedOver = true;
    });
    await expect(store.completeIn(context, open())).rejects.toMatchObject({
      code: "configuration_invalid",
      message: expect.stringContaining("in no transaction"),
    });
    expect(handedOver).toBe(false);
    expect(await claimAgain()).toEqual({ status: "claimed" });
    await transaction((client) => store.completeIn(context, statusless(client)));
    expect(await claimAgain()).toEqual({ status: "completed" });
  });
});

/** A client of which no more is known than that it runs statements. */
function statusless(client: PostgresClient): PostgresClient {
  return { query: (text, values) => client.query(text, values) };
}

describe("the order of steps", () => {
  it("checks for a transaction, stops the renewals, then sends one statement", async () => {
    const order: string[] = [];
    const client: PostgresClient = {
      async query(text) {
        order.push(text.slice(0, 6));
        return { rows: [{}] };
      },
    };
    const store = postgresStore({ query: async () => ({ rows: [{ answer: "claimed" }] }) });
    const { context } = await delivery(store, LEASE_MS, () => order.push("hand over"));
    await store.completeIn(context, client);
    expect(order).toEqual(["LOCK T", "hand over", "INSERT"]);
  });
});

describe.skipIf(!service)("store.transaction", () => {
  /** A ledger, and a way to book in a transaction of the store's. */
  async function pgLedger(max = 3) {
    const client = pool({ max });
    const bank = await pgBank({ max: 2 });
    const run = <Result>(context: object, work: (own: PostgresClient) => Promise<Result>) =>
      bank.store.transaction(context, client, work);
    return { ...bank, run, app: client };
  }
  async function postgresJsLedger() {
    const bank = await postgresJsBank();
    const sql = openSql();
    const run = <Result>(context: object, work: (own: PostgresClient) => Promise<Result>) =>
      bank.store.transaction(context, sql, (own) => work(adapted(own)));
    return { ...bank, run };
  }

  describe.each([
    ["a Pool of pg", pgLedger],
    ["the sql of postgres.js", postgresJsLedger],
  ])("on %s", (_name, open) => {
    it("commits the rows and the completion, and gives what work returned", async () => {
      const { store, run, book, booked } = await open();
      const { context } = await delivery(store);
      const result = await run(context, async (own) => {
        await book(own);
        return ["a result", 1];
      });
      expect(result).toEqual(["a result", 1]);
      expect(await booked()).toBe(1);
      expect(await stranger(store)).toEqual({ status: "completed" });
    });

    it("rolls both back if work throws, rethrows its error and reuses the connection", async () => {
      const { store, run, book, booked } = await open();
      for (let round = 0; round < 12; round += 1) {
        await store.forget(KEY);
        const { context, claimAgain } = await delivery(store);
        const failing = run(context, async (own) => {
          await book(own);
          throw new Error("changed my mind");
        });
        await expect(failing).rejects.toThrow("changed my mind");
        expect(await claimAgain()).toEqual({ status: "claimed" });
      }
      expect(await booked()).toBe(0);
    });

    it("rolls back if work throws synchronously or swallows the error of a statement", async () => {
      const { store, run, book, booked } = await open();
      const { context, claimAgain } = await delivery(store);
      const atOnce = run(context, () => {
        throw new Error("thrown, not rejected");
      });
      await expect(atOnce).rejects.toThrow("thrown, not rejected");
      const swallowed = run(context, async (own) => {
        await book(own);
        await own.query("SELECT 1 / 0", []).catch(() => {});
      });
      await expect(swallowed).rejects.toThrow();
      expect(await booked()).toBe(0);
      expect(await claimAgain()).toEqual({ status: "claimed" });
    });

    it("throws claim_lost without running work if another has the event", async () => {
      const { store, run } = await open();
      const { context } = await delivery(store, SHORT_MS);
      await delivery(store);
      let begun = false;
      const work = async () => {
        begun = true;
      };
      await expect(run(context, work)).rejects.toEqual(lost);
      expect(begun).toBe(false);
    });

    it("refuses an object that is no context before it takes a connection", async () => {
      const { run } = await open();
      await expect(run({}, async () => {})).rejects.toEqual(misuse);
    });
  });

  it("says that a statement failed and its error was swallowed, through pg", async () => {
    const { store, run } = await pgLedger();
    const { context } = await delivery(store);
    const swallowed = run(context, async (own) => void (await own.query("SELECT 1 / 0", []).catch(() => {})));
    await expect(swallowed).rejects.toMatchObject({ code: "completion_rolled_back" });
  });

  it("survives a connection that breaks between two statements, and does not reuse it", async () => {
    const { store, run, app, client } = await pgLedger(1);
    const { context, claimAgain } = await delivery(store);
    const broken = run(context, async (own) => {
      const { rows } = await own.query("SELECT pg_backend_pid() AS pid", []);
      const ended = new Promise((resolve) => (own as unknown as EventEmitter).once("end", resolve));
      await client.query("SELECT pg_terminate_backend($1)", [(rows[0] as { pid: number }).pid]);
      await ended;
    });
    await expect(broken).rejects.toThrow();
    await expect.poll(claimAgain).toEqual({ status: "claimed" });
    expect((await app.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it("refuses an object that is neither a pool nor sql", async () => {
    const { store, client } = await pgBank();
    const { context } = await delivery(store);
    const own = await client.connect();
    for (const wrong of [undefined, null, own, pglite.client, adapted(openSql()), "postgres://"]) {
      await expect(store.transaction(context, wrong as never, async () => {})).rejects.toEqual(misuse);
    }
    own.release();
  });
});

describe.skipIf(!service)("while a transaction that completes the event is open", () => {
  /** Holds the row until told otherwise. */
  async function holding(bank: Awaited<ReturnType<typeof pgBank>>, context: object) {
    let commit = () => {};
    const told = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let has = () => {};
    const held = new Promise<void>((resolve) => {
      has = resolve;
    });
    const done = bank.transaction(async (client) => {
      await bank.book(client);
      await bank.store.completeIn(context, client);
      has();
      await told;
    });
    await held;
    return async () => {
      commit();
      await done;
    };
  }

  it("fifty duplicates at a time and a renewal do not wait for it, through a pool of five", inFull, async () => {
    const bank = await pgBank({ max: 5 });
    const { store } = bank;
    const { context, token } = await delivery(store);
    const commit = await holding(bank, context);
    const until = performance.now() + (exhaustive ? 5_000 : 1_000);
    while (performance.now() < until) {
      const renewal = store.renew(KEY, { token, leaseMs: LEASE_MS }).catch((error) => error);
      const wave = await Promise.all(Array.from({ length: 50 }, () => inTime(stranger(store))));
      for (const [found, ms] of wave) {
        expect(found).toMatchObject({ status: "in_flight", remainingMs: expect.any(Number) });
        expect(ms).toBeLessThan(1_000);
      }
      const another = { token: "another's", leaseMs: LEASE_MS };
      expect((await inTime(store.claim(`${KEY} beside`, another)))[1]).toBeLessThan(500);
      expect(await renewal).toMatchObject({ code: "store_unavailable", message: expect.stringContaining("locked") });
    }
    await commit();
    expect(await bank.booked()).toBe(1);
    expect(await stranger(store)).toEqual({ status: "completed" });
  });

  it.each([
    ["has expired", async () => {}],
    ["has expired and was purged", async (store: PostgresStore) => expect(await store.purge()).toBe(1)],
  ])("duplicates do not wait long either if the claim %s", async (_what, before) => {
    const bank = await pgBank({ max: 5 });
    const { context } = await delivery(bank.store, SHORT_MS);
    await before(bank.store);
    const commit = await holding(bank, context);
    const wave = await Promise.all(Array.from({ length: 50 }, () => inTime(stranger(bank.store))));
    for (const [found, ms] of wave) {
      expect(found).toMatchObject({ status: "in_flight" });
      expect(ms).toBeLessThan(1_900);
    }
    await commit();
    expect(await stranger(bank.store)).toEqual({ status: "completed" });
  });

  it("the verbs of its own token do not wait without end", async () => {
    const bank = await pgBank();
    const { store } = bank;
    const { context, token, claimAgain } = await delivery(store);
    const commit = await holding(bank, context);
    const unavailable = { code: "store_unavailable" };
    expect(await claimAgain()).toMatchObject({ status: "in_flight" });
    await expect(store.release(KEY, { token })).rejects.toMatchObject(unavailable);
    await expect(store.forget(KEY)).rejects.toMatchObject(unavailable);
    await expect(store.complete(KEY, { token, retentionMs: 1 })).rejects.toMatchObject(unavailable);
    await commit();
    expect(await claimAgain()).toEqual({ status: "completed" });
    expect(await store.release(KEY, { token })).toBe(false);
  });

  it("only one of two such transactions is committed, if the claim had expired", inFull, async () => {
    for (let round = 0; round < runs(2, 10); round += 1) {
      const bank = await pgBank();
      const { context: stale } = await delivery(bank.store, SHORT_MS);
      const { context: owner } = await delivery(bank.store, SHORT_MS);
      const both = [stale, owner].map((context) =>
        bank.transaction(async (client) => {
          await bank.book(client);
          await bank.store.completeIn(context, client);
        }),
      );
      const results = await Promise.allSettled(both);
      expect(results.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      expect(results.find((one) => one.status === "rejected")?.reason).toEqual(lost);
      expect(await bank.booked()).toBe(1);
    }
  });

  it("another such transaction waits no longer than timeoutMs", async () => {
    const bank = await pgBank();
    const { context } = await delivery(bank.store, SHORT_MS);
    const { context: second } = await delivery(bank.store, SHORT_MS);
    const commit = await holding(bank, context);
    const own = await bank.client.connect();
    await own.query("BEGIN");
    const [failure, ms] = await inTime(bank.store.completeIn(second, own).catch((error) => error));
    expect(failure).toMatchObject({ code: "store_unavailable" });
    expect(ms).toBeLessThan(3_000);
    await commit();
    await own.query("ROLLBACK");
    own.release();
    expect(await bank.booked()).toBe(1);
  });

  it("a process killed before COMMIT leaves nothing behind", async () => {
    const bank = await pgBank();
    const { context, claimAgain } = await delivery(bank.store);
    const own = await bank.client.connect();
    const ended = new Promise((resolve) => own.once("error", resolve));
    await own.query("BEGIN");
    await bank.book(own);
    await bank.store.completeIn(context, own);
    const { rows } = await own.query("SELECT pg_backend_pid() AS pid");
    await bank.client.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
    await ended;
    await expect(own.query("COMMIT")).rejects.toThrow();
    own.release(true);
    await expect.poll(claimAgain).toEqual({ status: "claimed" });
    expect(await bank.booked()).toBe(0);
  });

  it("in REPEATABLE READ, a renewal since the snapshot is a serialization failure with its SQLSTATE, and none if completeIn comes first", async () => {
    const bank = await pgBank();
    const { context, token } = await delivery(bank.store);
    const own = await bank.client.connect();
    await own.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await bank.book(own);
    expect(await bank.store.renew(KEY, { token, leaseMs: LEASE_MS })).toBe(true);
    await expect(bank.store.completeIn(context, own)).rejects.toMatchObject({ code: "40001" });
    await own.query("ROLLBACK");
    await own.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    await bank.store.completeIn(context, own);
    await bank.book(own);
    await own.query("COMMIT");
    own.release();
    expect(await bank.booked()).toBe(1);
  });
});
