import { describe, expect, it } from "vitest";
import { KNOWN_EVENT_TYPES } from "../../src/bluum/catalogue.ts";

describe("the catalogue", () => {
  it("lists the documented names", () => {
    expect([...KNOWN_EVENT_TYPES].sort()).toEqual([
      "account.created",
      "account.updated",
      "document.approved",
      "document.rejected",
      "kyc.verification.approved",
      "order.accepted",
      "order.canceled",
      "order.filled",
      "order.partially_filled",
      "order.rejected",
      "transfer.deposit.completed",
      "transfer.deposit.failed",
      "transfer.deposit.initiated",
      "transfer.withdrawal.completed",
      "transfer.withdrawal.failed",
      "transfer.withdrawal.initiated",
    ]);
  });

  it("cannot be modified", () => {
    expect(() => (KNOWN_EVENT_TYPES as string[]).push("order.filld")).toThrow(TypeError);
  });
});
