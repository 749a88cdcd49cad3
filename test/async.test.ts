import { describe, expect, it } from "vitest";
import { withTimeout } from "../src/async.ts";

describe("withTimeout", () => {
  it("passes on an answer in time, and rejects otherwise", async () => {
    expect(await withTimeout(Promise.resolve(1), 1_000)).toBe(1);
    await expect(withTimeout(Promise.reject(new Error("boom")), 1_000)).rejects.toThrow("boom");
    await expect(withTimeout(new Promise(() => {}), 1)).rejects.toThrow("no answer within 1 ms");
  });
});
