import { describe, expect, it, vi } from "vitest";
import { within } from "../src/async.ts";

describe("within", () => {
  it("passes on what comes in time, and fails on what does not", async () => {
    expect(await within(Promise.resolve(1), 1_000)).toBe(1);
    await expect(within(Promise.reject(new Error("boom")), 1_000)).rejects.toThrow("boom");
    await expect(within(new Promise(() => {}), 1)).rejects.toThrow("no answer within 1 ms");
  });

  it("tells whoever minds what still comes, only where it is late", async () => {
    const onTimeout = vi.fn();
    await within(Promise.resolve(), 1_000, onTimeout);
    expect(onTimeout).not.toHaveBeenCalled();
    await within(new Promise(() => {}), 1, onTimeout).catch(() => {});
    expect(onTimeout).toHaveBeenCalledOnce();
  });
});
