import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { headings, ROOT, readText } from "../docs/markdown.ts";

const { version } = JSON.parse(readText("package.json"));
const text = readText("CHANGELOG.md");
const releases = headings("CHANGELOG.md", 2).filter((heading) => heading !== "[Unreleased]");
const sections = new Set(["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]);

describe("CHANGELOG.md", () => {
  it("begins with the version of the package, with its date", () => {
    expect(releases[0]).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
    expect(releases[0]).toContain(`[${version}] - `);
  });

  it("has the sections of Keep a Changelog, and how to migrate", () => {
    const others = headings("CHANGELOG.md", 3).filter((heading) => !sections.has(heading));
    expect(others.filter((heading) => !heading.startsWith("Migrating from "))).toEqual([]);
    expect(others).toContain("Migrating from 0.1.0");
  });

  it("has a link for each version", () => {
    for (const release of releases) {
      const [, name = ""] = /^\[(.+)\]/.exec(release) ?? [];
      expect(text).toContain(`\n[${name}]: https://github.com/bluum-webhooks/bluum-webhooks/`);
      expect(text.match(new RegExp(`^\\[${name}\\]: \\S*v${name}$`, "m"))).not.toBeNull();
    }
  });
});

describe("the version of the package", () => {
  it("is that of the lock file", () => {
    const lock = JSON.parse(readText("package-lock.json"));
    expect([lock.version, lock.packages[""].version]).toEqual([version, version]);
  });

  it("is that which the command line prints", () => {
    const command = [`${ROOT}dist/src/cli/bin.js`, "--version"];
    expect(execFileSync(process.execPath, command, { encoding: "utf8" })).toBe(`${version}\n`);
  });
});

describe("scripts/release-notes.mjs", () => {
  const run = (tag: string) =>
    execFileSync(process.execPath, [`${ROOT}scripts/release-notes.mjs`, tag], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: "pipe",
    });

  it("prints the section of the package's version", () => {
    const notes = run(`v${version}`);
    expect(notes).toMatch(/^### Added\n|^Upgrading/);
    expect(notes).toContain("### Migrating from");
    expect(notes).not.toMatch(/^## |^\[\d/m);
    expect(notes.match(/\]\((?!https:)/)).toBeNull();
  });

  it("refuses a tag that is not the package's version", () => {
    expect(() => run("v0.0.1")).toThrow(`v0.0.1 is not v${version} of package.json`);
    expect(() => run(version)).toThrow("is not");
  });
});
