import { describe, expect, it } from "vitest";
import { isSuccess, rethrowable, settleByStatus } from "../../src/adapter.ts";
import type { AcceptedOutcome, Settled } from "../../src/index.ts";

/** An accepted outcome that only records how it was settled. */
function settling(settled: Settled): { outcome: AcceptedOutcome; seen: unknown[] } {
  const seen: unknown[] = [];
  const settle = async (...given: unknown[]) => {
    seen.push(...given);
    return settled;
  };
  return { outcome: { kind: "accepted", settle } as unknown as AcceptedOutcome, seen };
}

describe("settleByStatus", () => {
  it.each([200, 201, 204, 299])("settles %i as processed", async (status) => {
    const { outcome, seen } = settling("stored");
    expect(await settleByStatus(outcome, status)).toBeUndefined();
    expect(seen).toEqual(["processed", { status }]);
    expect(isSuccess(status)).toBe(true);
  });

  it.each([100, 199, 300, 304, 400, 404, 500, 503, Number.NaN])("settles %d as failed", async (status) => {
    const { outcome, seen } = settling("released");
    expect(await settleByStatus(outcome, status)).toBeUndefined();
    expect(seen).toEqual(["failed", { status }]);
    expect(isSuccess(status)).toBe(false);
  });

  it("replaces a 2xx for a lost claim, never a failure", async () => {
    expect(await settleByStatus(settling("held_by_another").outcome, 200)).toMatchObject({ status: 503 });
    expect(await settleByStatus(settling("completed_by_another").outcome, 204)).toMatchObject({ status: 200 });
    expect(await settleByStatus(settling("rolled_back").outcome, 200)).toMatchObject({ status: 500 });
    expect(await settleByStatus(settling("held_by_another").outcome, 500)).toBeUndefined();
  });
});

describe("rethrowable", () => {
  it("returns an error unchanged when a framework answers it as a failure", () => {
    for (const more of [{}, { status: 400 }, { statusCode: 503 }, { status: 500, statusCode: 500 }]) {
      const error = Object.assign(new Error("boom"), more);
      expect(rethrowable(error)).toBe(error);
    }
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["nothing", undefined],
    ["a text", "boom"],
    ["a 2xx status", Object.assign(new Error("boom"), { status: 200 })],
    ["a 3xx statusCode", Object.assign(new Error("boom"), { statusCode: 302 })],
    ["a status that is a text", Object.assign(new Error("boom"), { status: "204" })],
    ["a status that cannot be read", Object.defineProperty(new Error("boom"), "status", { get: revoked })],
    ["a status that cannot be written", Object.defineProperty(new Error("boom"), "status", { value: 500 })],
    ["an error that cannot be changed", Object.freeze(new Error("boom"))],
    ["a status that is no number", Object.assign(new Error("boom"), { status: Number.NaN })],
  ])("wraps %s, which a framework could answer with a 2xx or not at all", (_, thrown) => {
    expect(rethrowable(thrown)).toMatchObject({ name: "WebhookError", code: "handler_failed", cause: thrown });
  });
});

function revoked(): never {
  throw new TypeError("not readable");
}
