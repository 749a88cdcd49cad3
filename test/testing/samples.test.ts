import { describe, expect, it } from "vitest";
import { KNOWN_EVENT_TYPES } from "../../src/bluum/catalogue.ts";
import { sampleEvent } from "../../src/testing/samples.ts";

const RFC_3339_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const STATUS: Record<string, string> = {
  "account.created": "active",
  "account.updated": "active",
  "transfer.deposit.initiated": "pending",
  "transfer.withdrawal.initiated": "pending",
};

describe("sampleEvent", () => {
  it("has the documented envelope, with keys in the documented order", () => {
    const sample = sampleEvent("order.filled");
    expect(Object.keys(sample)).toEqual(["event", "timestamp", "data"]);
    expect(sample).toMatchObject({
      event: "order.filled",
      timestamp: expect.stringMatching(RFC_3339_SECONDS),
      data: {
        id: expect.stringMatching(/^ord_[0-9a-z]{16}$/),
        investor_id: expect.stringMatching(/^inv_[0-9a-z]{26}$/),
        symbol: "AAPL",
        side: "buy",
        status: "filled",
        filled_quantity: "10",
        average_price: "178.50",
      },
    });
  });

  it.each(KNOWN_EVENT_TYPES)("gives %s a resource with a matching status", (type) => {
    const data: { status?: string } = sampleEvent(type).data;
    expect(data.status).toBe(STATUS[type] ?? type.split(".").at(-1));
  });

  it.each(KNOWN_EVENT_TYPES)("gives %s only strings, and survives JSON unchanged", (type) => {
    const sample = sampleEvent(type);
    for (const value of Object.values(sample.data)) expect(value).toBeTypeOf("string");
    expect(JSON.parse(JSON.stringify(sample))).toEqual(sample);
  });

  it.each([...KNOWN_EVENT_TYPES, "compliance.review.opened"])("never makes two identical samples of %s", (type) => {
    const timestamp = "2025-06-15T14:30:15Z";
    const samples = Array.from({ length: 100 }, () => JSON.stringify(sampleEvent(type, { timestamp })));
    expect(new Set(samples).size).toBe(100);
  });

  it.each([
    ["order.accepted", "0", "10"],
    ["order.partially_filled", "4", "6"],
    ["order.filled", "10", "0"],
  ] as const)("lets the quantities of %s add up", (type, filled, remaining) => {
    expect(sampleEvent(type).data).toMatchObject({
      quantity: "10",
      filled_quantity: filled,
      remaining_quantity: remaining,
    });
  });

  it.each([
    ["order.rejected", "failure_reason"],
    ["transfer.deposit.failed", "failure_reason"],
    ["transfer.withdrawal.failed", "failure_reason"],
    ["document.rejected", "rejection_reason"],
  ] as const)("gives %s a %s", (type, field) => {
    expect(sampleEvent(type).data).toHaveProperty(field, expect.stringMatching(/./));
  });

  it("dates the resource by the sample's timestamp", () => {
    const timestamp = "2025-06-15T14:30:15Z";
    expect(sampleEvent("order.filled", { timestamp })).toMatchObject({
      timestamp,
      data: { submitted_at: timestamp, filled_at: timestamp },
    });
  });

  it("replaces and adds top-level keys", () => {
    expect(sampleEvent("order.filled", { id: "evt_1", livemode: false })).toMatchObject({
      event: "order.filled",
      id: "evt_1",
      livemode: false,
    });
  });

  it("can move the name to another key", () => {
    const sample = sampleEvent("order.filled", { event: undefined, type: "order.filled" });
    expect(Object.keys(JSON.parse(JSON.stringify(sample))).sort()).toEqual(["data", "timestamp", "type"]);
  });

  it("merges data one level deep", () => {
    const { data } = sampleEvent("transfer.deposit.completed", {
      data: { amount: "1.00", method_details: { bank: "b" }, house_field: 7 },
    });
    expect(data).toMatchObject({ amount: "1.00", method_details: { bank: "b" }, house_field: 7, status: "completed" });
  });

  it("does not modify its overrides", () => {
    const overrides = Object.freeze({ id: "evt_1", data: Object.freeze({ amount: "1.00" }) });
    expect(() => sampleEvent("transfer.deposit.completed", overrides)).not.toThrow();
  });

  it("makes an event of any other name", () => {
    expect(sampleEvent("compliance.review.opened")).toEqual({
      event: "compliance.review.opened",
      timestamp: expect.stringMatching(RFC_3339_SECONDS),
      data: { id: expect.stringMatching(/^sample_/) },
    });
    expect(sampleEvent("compliance.review.opened", { data: { review_id: "r" } }).data).toHaveProperty("review_id", "r");
  });

  it.each(["toString", "__proto__", "constructor"])("treats %s like any other name", (type) => {
    expect(sampleEvent(type)).toMatchObject({ event: type, data: { id: expect.any(String) } });
  });

  it("makes a ping with empty data", () => {
    expect(sampleEvent("bluum-webhooks.ping")).toMatchObject({ event: "bluum-webhooks.ping", data: {} });
    expect(sampleEvent("bluum-webhooks.ping").data).toEqual({});
  });
});
