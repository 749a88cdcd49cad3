import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codeBlocks, ROOT, readText } from "./markdown.ts";

const FOLDER = "scripts/try-tarball/jest/";

describe("docs/start/jest.md", () => {
  const blocks = codeBlocks("docs/start/jest.md").filter(({ language }) => language !== "sh");
  const files = readdirSync(ROOT + FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replace(ROOT, ""));

  it("shows the exact files with which scripts/try-tarball.mjs runs Jest", () => {
    const tried = files.map(readText);
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.filter(({ code }) => !tried.includes(code)).map(({ line }) => line)).toEqual([]);
  });

  it("leaves no configuration out", () => {
    const configurations = files.filter((path) => /(babel|jest|ts)\w*\.(config\.js|json)$/.test(path));
    const shown = blocks.map(({ code }) => code);
    expect(configurations.length).toBe(4);
    expect(configurations.filter((path) => !shown.includes(readText(path)))).toEqual([]);
  });
});
