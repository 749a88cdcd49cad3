import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeliveryContext } from "../../src/index.ts";
import { postgresStore } from "../../src/stores/postgres.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import type { DedupeStore } from "../../src/stores/store.ts";
import { openPglite } from "../stores/postgres-subjects.ts";
import { anEvent, bench, signed } from "./receiving.ts";

/** A store and a ledger in one database, with transactions over both. */
interface Bank {
  readonly store: DedupeStore;
  /** Books and completes in one transaction, which is rolled back if `end` throws. */
  credit(context: DeliveryContext, end?: () => void): Promise<void>;
  booked(): Promise<number>;
  close(): Promise<void>;
}

function sqliteBank(): Bank {
  const folder = mkdtempSync(join(tmpdir(), "complete-in-"));
  const database = new Database(join(folder, "events.db"));
  database.exec("CREATE TABLE ledger (amount text)");
  const store = sqliteStore(database);
  return {
    store,
    async credit(context, end = () => {}) {
      database.transaction(() => {
        store.completeIn(context);
        database.prepare("INSERT INTO ledger VALUES ('12.50')").run();
        end();
      })();
    },
    booked: async () => Number((database.prepare("SELECT count(*) AS n FROM ledger").get() as { n: number }).n),
    async close() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const pglite = await openPglite();
afterAll(() => pglite.close());

async function postgresBank(): Promise<Bank> {
  const { client } = pglite;
  await client.exec(
    "DROP TABLE IF EXISTS bluum_webhook_events; DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (amount numeric)",
  );
  const store = postgresStore(client);
  await store.migrate();
  return {
    store,
    credit: (context, end = () => {}) =>
      client.transaction(async (tx) => {
        await store.completeIn(context, tx);
        await tx.query("INSERT INTO ledger VALUES (12.50)");
        end();
      }),
    booked: async () => (await client.query("SELECT FROM ledger")).rows.length,
    close: async () => {},
  };
}

describe.each([
  ["sqliteStore", async () => sqliteBank()],
  ["postgresStore", postgresBank],
] as const)("an event completed inside the user's transaction, with %s", (_, openBank) => {
  let bank: Bank;
  beforeEach(async () => {
    bank = await openBank();
  });
  afterEach(() => bank.close());

  function opened() {
    return bench({ store: bank.store, namespace: "ledger" });
  }
  const boom = () => {
    throw new Error("the transaction fails");
  };

  it("is booked once, and the retry is a duplicate", async () => {
    const { receiver, reports } = opened();
    receiver.on("transfer.deposit.completed", (_event, context) => bank.credit(context));
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true}' });
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
    expect(await bank.booked()).toBe(1);
    expect(reports.map(({ outcome, code, status }) => ({ outcome, code, status }))).toEqual([
      { outcome: "accepted", code: undefined, status: 200 },
      { outcome: "duplicate", code: undefined, status: 200 },
    ]);
  });

  it("is answered 500 completion_rolled_back when the handler swallows the rollback", async () => {
    const { receiver, lines } = opened();
    const ends = [boom, undefined];
    receiver.on("transfer.deposit.completed", (_event, context) => bank.credit(context, ends.shift()).catch(() => {}));
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({
      status: 500,
      body: '{"error":{"code":"completion_rolled_back"}}',
    });
    expect(lines.some(({ message }) => message.includes("rolled back"))).toBe(true);
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true}' });
    expect(await bank.booked()).toBe(1);
  });

  it("is answered 500 handler_failed when the handler throws the rollback's error", async () => {
    const { receiver } = opened();
    const ends = [boom, undefined];
    receiver.on("transfer.deposit.completed", (_event, context) => bank.credit(context, ends.shift()));
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ status: 500, body: '{"error":{"code":"handler_failed"}}' });
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200 });
    expect(await bank.booked()).toBe(1);
  });

  it("stays completed when the handler throws after the commit", async () => {
    const { receiver, lines } = opened();
    receiver.on("transfer.deposit.completed", async (_event, context) => {
      await bank.credit(context);
      throw new Error("after the commit");
    });
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ status: 500 });
    expect(lines.filter(({ level }) => level === "error").map(({ message }) => message)).toContain(
      "bluum-webhooks: a handler failed after the transaction with its completion was committed: the event counts as " +
        "processed, and no retry runs the handler again",
    );
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true,"duplicate":true}' });
    expect(await bank.booked()).toBe(1);
  });

  it("is answered 503 event_in_flight and not booked when the claim was lost", async () => {
    for (const completed of [false, true]) {
      const { receiver, lines } = opened();
      receiver.on("transfer.deposit.completed", async (_event, context) => {
        const key = `ledger/${context.eventKey}`;
        await bank.store.forget?.(key);
        await bank.store.claim(key, { token: "another", leaseMs: 30_000 });
        if (completed) await bank.store.complete(key, { token: "another", retentionMs: 30_000 });
        await bank.credit(context);
      });
      const delivery = signed(anEvent("transfer.deposit.completed"));
      expect(await receiver.handle(delivery)).toMatchObject({
        status: 503,
        body: '{"error":{"code":"event_in_flight"}}',
      });
      expect(lines).toEqual([]);
      expect(await bank.booked()).toBe(0);
    }
  });

  it("is completed for each handler, and a retry repeats none", async () => {
    const { receiver } = opened();
    const ends = [undefined, boom, undefined];
    receiver
      .on("transfer.deposit.*", (_event, context) => bank.credit(context, ends.shift()), { name: "credit" })
      .on("transfer.*", (_event, context) => bank.credit(context, ends.shift()), { name: "bonus" });
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ status: 500 });
    expect(await bank.booked()).toBe(1);
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true}' });
    expect(await bank.booked()).toBe(2);
    expect(await receiver.handle(delivery)).toMatchObject({ body: '{"received":true,"duplicate":true}' });
  });

  it("runs a handler again that swallowed a rollback, and no other", async () => {
    const { receiver } = opened();
    const ends = [boom, undefined];
    let audits = 0;
    receiver
      .on("transfer.*", () => void audits++, { name: "audit" })
      .on("transfer.deposit.*", (_event, context) => bank.credit(context, ends.shift()).catch(() => {}), {
        name: "credit",
      });
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ body: '{"error":{"code":"completion_rolled_back"}}' });
    expect(await receiver.handle(delivery)).toMatchObject({ status: 200, body: '{"received":true}' });
    expect([audits, await bank.booked()]).toEqual([1, 1]);
  });

  it("is retried when the store cannot say whether it was committed", async () => {
    const { store } = bank;
    let silent = false;
    const claim = store.claim.bind(store);
    store.claim = (key, by) => (silent ? Promise.reject(new Error("away")) : claim(key, by));
    const { receiver } = opened();
    receiver.on("transfer.deposit.completed", async (_event, context) => {
      await bank.credit(context);
      silent = true;
    });
    const delivery = signed(anEvent("transfer.deposit.completed"));
    expect(await receiver.handle(delivery)).toMatchObject({ status: 500 });
    silent = false;
    expect(await receiver.handle(delivery)).toMatchObject({ body: '{"received":true,"duplicate":true}' });
    expect(await bank.booked()).toBe(1);
  });

  it("refuses a value that is not a delivery's context", async () => {
    await expect(bank.credit({} as DeliveryContext)).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});
