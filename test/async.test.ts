import { describe, expect, it } from "vitest";
import { withTimeout } from "../src/async.ts";

describe("withTimeout", () => {
  it("settles as the promise does, or rejects after the timeout", async () => {
    expect(await withTimeout(Promise.resolve(1), 1_000)).toBe(1);
    await expect(withTimeout(Promise.reject(new Error("boom")), 1_000)).rejects.toThrow("boom");
    await expect(withTimeout(new Promise(() => {}), 1)).rejects.toThrow("no answer within 1 ms");
  });
});
