import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Database from "libsql";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../../adapters/node.ts";
import { RETRY_DELAYS_MS } from "../../../src/bluum/retry-schedule.ts";
import { createReceiver } from "../../../src/index.ts";
import { createSandbox } from "../../../src/sandbox/index.ts";
import { sqliteStore } from "../../../src/stores/sqlite.ts";
import { anEvent, bench, signed } from "../../pipeline/receiving.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEW = '{"received":true}';
const DUPLICATE = '{"received":true,"duplicate":true}';

describe("an outage", () => {
  it("is over for Bluum after some 11 hours, and its last retry comes 8 hours after the one before", () => {
    const allMs = RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0);
    expect(allMs).toBeGreaterThan(10 * HOUR_MS);
    expect(allMs).toBeLessThan(11 * HOUR_MS);
    expect(Math.max(...RETRY_DELAYS_MS)).toBe(8 * HOUR_MS);
  });

  it.each([
    ["shorter than that needs nothing", 3 * HOUR_MS, false],
    ["longer than that needs a replay", 20 * HOUR_MS, true],
  ])("%s, and what was processed before does not run again", async (_, outageMs, needsReplay) => {
    const secret = "the secret of an endpoint that was down";
    const ran: string[] = [];
    const receiver = createReceiver({ secret, logger: false }).on(
      "*",
      ({ data }) => void ran.push(String((data as { id: string }).id)),
    );
    let isDown = false;
    const handle = bluumHandler(receiver);
    const server = createServer((req, res) => (isDown ? void res.writeHead(503).end() : handle(req, res)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const sandbox = await createSandbox();
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      await sandbox.endpoint({ url, secret });
      await sandbox.send("order.filled", { data: { id: "ord_before" } });
      await sandbox.settled();
      isDown = true;
      await sandbox.send("order.filled", { data: { id: "ord_during" } });
      await sandbox.advance(outageMs);
      isDown = false;
      await sandbox.settled();
      expect(ran).toEqual(needsReplay ? ["ord_before"] : ["ord_before", "ord_during"]);
      for (const { id } of sandbox.deliveries()) await sandbox.replay(id);
      await sandbox.settled();
      expect(ran).toEqual(["ord_before", "ord_during"]);
    } finally {
      await sandbox.close();
      await receiver.close();
      server.close();
    }
  });
});

describe("a replay of an event", () => {
  /** A receiver over one database, on a day. */
  function onDay(day: number, database: Database.Database, retentionMs?: number) {
    const at = Date.UTC(2026, 0, 1) + day * DAY_MS;
    const ran: string[] = [];
    const { receiver } = bench({
      ...{ namespace: "orders", logger: false, store: sqliteStore(database, { now: () => at }), now: () => at },
      ...(retentionMs && { retentionMs, maxEventAgeMs: retentionMs }),
    });
    receiver.on("*", (event) => void ran.push(event.id));
    return { receiver, ran, deliver: async (event: object) => (await receiver.handle(signed(event))).body };
  }
  const fresh = () => new Database(":memory:");
  const timestamp = new Date(Date.UTC(2026, 0, 1)).toISOString();

  it("within the retention is a duplicate, until it is forgotten", async () => {
    const database = fresh();
    const event = anEvent("order.filled", { timestamp });
    expect(await onDay(0, database).deliver(event)).toBe(NEW);
    const later = onDay(6, database);
    expect(await later.deliver(event)).toBe(DUPLICATE);
    expect(await later.receiver.forget({ type: "order.filled", id: event.event_id })).toBe(true);
    expect(await later.deliver(event)).toBe(NEW);
    expect(later.ran).toEqual([event.event_id]);
  });

  it("older than maxEventAgeMs is refused, until both limits are raised", async () => {
    const event = anEvent("order.filled", { timestamp });
    expect(await onDay(8, fresh()).deliver(event)).toBe('{"error":{"code":"event_too_old"}}');
    expect(await onDay(8, fresh(), 30 * DAY_MS).deliver(event)).toBe(NEW);
  });

  it("runs again if the event was processed longer ago than the retention of that day", async () => {
    const database = fresh();
    const event = anEvent("order.filled", { timestamp });
    await onDay(0, database).deliver(event);
    const raised = onDay(8, database, 30 * DAY_MS);
    expect(await raised.deliver(event)).toBe(NEW);
    expect(raised.ran).toEqual([event.event_id]);
  });

  it("without an id is a duplicate with the same bytes only", async () => {
    const { deliver } = onDay(0, fresh());
    const event = { event: "order.filled", timestamp, data: { id: "ord_1" } };
    expect(await deliver(event)).toBe(NEW);
    expect(await deliver(event)).toBe(DUPLICATE);
    expect(await deliver({ ...event, replayed: true })).toBe(NEW);
  });
});

describe("an event that 0.1 processed", () => {
  /** A record as 0.1 wrote it, in its table. */
  function processedBy01(key: string): Database.Database {
    const database = new Database(":memory:");
    database.exec(`CREATE TABLE "bluum_webhook_events" (key TEXT COLLATE BINARY NOT NULL PRIMARY KEY, token TEXT NOT NULL,
      completed INTEGER NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID`);
    const insert = database.prepare("INSERT INTO bluum_webhook_events VALUES (?, 'token', 1, ?)");
    insert.run(`orders/order.filled/${key}`, Date.now() + DAY_MS);
    return database;
  }

  it.each([
    [{ event_id: "evt_1" }, DUPLICATE],
    [{ id: "evt_1" }, DUPLICATE],
    [{ id: "n-1" }, NEW],
  ])("with %j is answered %s", async (identity, answer) => {
    const [id = ""] = Object.values(identity);
    const { receiver } = bench({ namespace: "orders", store: sqliteStore(processedBy01(id)), logger: false });
    receiver.on("*", () => {});
    const event = { event: "order.filled", ...identity, data: {} };
    expect((await receiver.handle(signed(event))).body).toBe(answer);
  });
});
