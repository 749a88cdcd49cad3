import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { bluumHandler } from "../../adapters/node.ts";
import { type BluumOrder, createReceiver, KNOWN_EVENT_TYPES } from "../../src/index.ts";
import { SCENARIOS, type Step } from "../../src/sandbox/scenarios.ts";
import { sandboxed, served } from "./endpoints.ts";

const at = (afterMs: number) => new Date(Date.UTC(2026, 0, 5) + afterMs).toISOString();
const named = (name: string): readonly Step[] => SCENARIOS.find((one) => one.name === name)?.steps(at) ?? [];

/** A decimal string in hundredths, exactly. */
function cents(text = ""): number {
  expect(text).toMatch(/^\d+(\.\d{1,2})?$/);
  const [whole = "", fraction = ""] = text.split(".");
  return Number(whole) * 100 + Number(fraction.padEnd(2, "0"));
}

describe.each(SCENARIOS)("the scenario $name", ({ steps }) => {
  it("has documented events in chronological order", () => {
    const events = steps(at);
    expect(events.length).toBeGreaterThan(0);
    for (const { type } of events) expect(KNOWN_EVENT_TYPES).toContain(type);
    expect(events.map(({ afterMs }) => afterMs)).toEqual(
      events.map(({ afterMs }) => afterMs).toSorted((a, b) => a - b),
    );
  });

  it("is about one investor, another one in each run", () => {
    const investorOf = ({ type, data }: Step) =>
      data.investor_id ?? data.account_id ?? (type.startsWith("account.") && data.id);
    const [first, second] = [steps(at), steps(at)].map((events) => new Set(events.map(investorOf)));
    expect(first?.size).toBe(1);
    expect([...(first ?? [])][0]).toMatch(/^inv_/);
    expect(first).not.toEqual(second);
  });
});

describe("the amounts", () => {
  it("of an order add up to the ordered quantity at every step", () => {
    const orders = named("order-filled").map(({ data }) => data as unknown as BluumOrder);
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    let [filled, paid] = [0, 0];
    for (const order of orders) {
      const now = cents(order.filled_quantity);
      expect(now + cents(order.remaining_quantity)).toBe(cents(order.quantity));
      // The price of this fill is a whole number of cents a share and near the previous one.
      const total = now === 0 ? 0 : (now / 100) * cents(order.average_price);
      if (now > filled) expect(((total - paid) / (now - filled)) * 100).toBeCloseTo(17_850, -2);
      if (now > filled) expect(Number.isInteger((total - paid) / ((now - filled) / 100))).toBe(true);
      [filled, paid] = [now, total];
    }
    expect(orders.map(({ status }) => status)).toEqual(["accepted", "partially_filled", "partially_filled", "filled"]);
    expect(filled).toBe(1_000);
  });

  it.each(["deposit-completed", "deposit-failed", "withdrawal-completed"])(
    "of %s are the same in all its events",
    (name) => {
      const transfers = named(name).map(({ data }) => data);
      expect(transfers).toHaveLength(2);
      for (const field of ["id", "wallet_id", "amount", "currency", "created_at"]) {
        expect(transfers[0]?.[field]).toBeDefined();
        expect(transfers[1]?.[field]).toBe(transfers[0]?.[field]);
      }
    },
  );
});

describe("a scenario that is sent", () => {
  it("arrives in order, and every event of it is processed", async () => {
    const sandbox = await sandboxed({ now: () => Date.parse("2026-03-01T12:00:00Z") });
    const seen: string[] = [];
    let secret = "";
    const now = () => Date.parse("2026-03-01T12:00:03Z");
    const receiver = createReceiver({ secret: () => secret, logger: false, now }).on("order.*", (event) => {
      const { timestamp, data } = event.payload as { timestamp: string; data: BluumOrder };
      seen.push(`${event.type} ${data.filled_quantity} ${timestamp}`);
    });
    ({ secret } = await sandbox.endpoint({ url: await served(createServer(bluumHandler(receiver))) }));
    const sent = await sandbox.scenario("order-filled");
    expect(sent).toHaveLength(4);
    await sandbox.settled();
    expect(seen).toEqual([
      "order.accepted 0 2026-03-01T12:00:00Z",
      "order.partially_filled 4 2026-03-01T12:00:01Z",
      "order.partially_filled 8 2026-03-01T12:00:01Z",
      "order.filled 10 2026-03-01T12:00:02Z",
    ]);
  });

  it("of an unknown name is refused with the list of names", async () => {
    const sandbox = await sandboxed();
    await expect(sandbox.scenario("order-lost")).rejects.toThrow(/order-filled, order-rejected/);
  });
});
