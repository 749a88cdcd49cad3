import { describe, expect, it } from "vitest";
import { readText } from "./markdown.ts";

const PAGE = "docs/guides/production.md";

describe(PAGE, () => {
  it("leaves Kubernetes more time than a process takes to end, and more than Kubernetes' own 30 s", () => {
    const page = readText(PAGE);
    const [, graceSeconds] = /terminationGracePeriodSeconds: (\d+)/.exec(page) ?? [];
    const [, drainMs, closeMs] = /drainMs = ([\d_]+), closeMs = ([\d_]+)/.exec(page) ?? [];
    const neededMs = [drainMs, closeMs].reduce((sum, ms = "") => sum + Number(ms.replaceAll("_", "")), 0);
    expect(neededMs).toBeGreaterThan(30_000);
    expect(Number(graceSeconds) * 1_000).toBeGreaterThan(neededMs);
  });
});
