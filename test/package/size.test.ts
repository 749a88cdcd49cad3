import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT, readText } from "../docs/markdown.ts";

const [, size = "", count = "", names = ""] =
  /\bPacked size: (\d+) kB\. Dependencies: (\d+) \(([^)]+)\)\./.exec(readText("README.md")) ?? [];

describe("the README", () => {
  it("gives the size of the packed package, within 5 %", () => {
    // Without `prepack`, which would remove `dist` while other tests use it.
    const args = ["pack", "--dry-run", "--json", "--silent", "--ignore-scripts"];
    const [packed] = JSON.parse(execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" }));
    expect(Math.abs(Number(size) * 1_000 - packed.size) / packed.size, `it is ${packed.size} bytes`).toBeLessThan(0.05);
  });

  it("names the dependencies", () => {
    const { dependencies } = JSON.parse(readText("package.json"));
    expect([Number(count), names.split(", ")]).toEqual([Object.keys(dependencies).length, Object.keys(dependencies)]);
  });
});
