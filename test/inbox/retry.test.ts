import { expect, it } from "vitest";
import { backoffAfter, retrySettings } from "../../src/inbox/retry.ts";

const HOUR_MS = 60 * 60_000;

/** How long an event that always fails is tried, without the time of its runs. */
function spanMs(random: number): number {
  const settings = retrySettings("test");
  const failed = Array.from({ length: settings.attempts - 1 }, (_, before) => before + 1);
  return failed.reduce((sum, count) => sum + backoffAfter(count, settings, random), 0);
}

it("the default attempts span about a day, and more than the 11 hours of the provider", () => {
  expect(spanMs(0.5) / HOUR_MS).toBeGreaterThan(20);
  expect(spanMs(0.5) / HOUR_MS).toBeLessThan(28);
  expect(spanMs(1) / HOUR_MS).toBeLessThan(48);
});

it("the first pause is at most backoffMs, and each at most twice the one before and maxBackoffMs", () => {
  const settings = retrySettings("test", { backoffMs: 100, maxBackoffMs: 500 });
  expect([1, 2, 3, 4, 99].map((failed) => backoffAfter(failed, settings, 1))).toEqual([100, 200, 400, 500, 500]);
  expect(backoffAfter(1, settings, 0)).toBe(0);
});
