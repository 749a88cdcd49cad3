import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KNOWN_EVENT_TYPES } from "../../src/bluum/catalogue.ts";
import { type BluumEvent, domainAndAction, isKnownEvent } from "../../src/events/event.ts";

function eventOf(type: string): BluumEvent {
  return { id: "evt_1", type, ...domainAndAction(type), occurredAt: undefined, data: {}, payload: {} } as BluumEvent;
}

describe("isKnownEvent", () => {
  it.each(KNOWN_EVENT_TYPES)("knows %s", (type) => {
    expect(isKnownEvent(eventOf(type))).toBe(true);
  });

  it.each([
    "compliance.review.opened",
    "order.filld",
    "order",
    "Order.Filled",
    "",
    "toString",
    "__proto__",
    "constructor",
  ])("does not know %j", (type) => {
    expect(isKnownEvent(eventOf(type))).toBe(false);
  });
});

describe("domainAndAction", () => {
  it.each([
    ["order.filled", "order", "filled"],
    ["transfer.deposit.completed", "transfer", "deposit.completed"],
    ["ping", "ping", ""],
    ["order.", "order", ""],
    [".filled", "", "filled"],
    ["a..b", "a", ".b"],
  ])("splits %j into %j and %j", (type, domain, action) => {
    expect(domainAndAction(type)).toEqual({ domain, action });
  });

  it("keeps every character of a name with a dot", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (head, tail) => {
        const { domain, action } = domainAndAction(`${head}.${tail}`);
        expect(`${domain}.${action}`).toBe(`${head}.${tail}`);
        expect(domain).not.toContain(".");
      }),
    );
  });
});
