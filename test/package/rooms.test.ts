import { readdirSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOMS } from "../../vitest.config.ts";
import { ROOT, readText } from "../docs/markdown.ts";

/** An import of the built package by its name, or a path to `dist` at the root. */
const BUILT = /\b(from|import|require) ?\(?"bluum-webhooks["/]|(\.\.\/|ROOT\}|root\})dist\b/;

describe("the rooms that run without a build", () => {
  const all = readdirSync(`${ROOT}test`, { recursive: true }).map(String);
  const tests = all.filter((path) => path.endsWith(".test.ts"));
  const testsIn = (places: readonly string[] = []) =>
    tests.filter((path) => places.some((place) => path === place || path.startsWith(`${place}/`)));
  const elsewhere = testsIn(Object.values(ROOMS).flat());

  it.each([
    ["core", tests.filter((path) => !elsewhere.includes(path))],
    ["adapters", testsIn(ROOMS.adapters)],
  ])("%s has no test and no helper that imports the built package", (_, files) => {
    expect(files.length).toBeGreaterThan(10);
    expect(withHelpers(files).filter(takesBuilt)).toEqual([]);
  });

  it("are told from those that need a build", () => {
    expect(withHelpers(testsIn(ROOMS.docs)).filter(takesBuilt)).toContain("docs/snippets.ts");
  });
});

function takesBuilt(path: string): boolean {
  return BUILT.test(readText(`test/${path}`));
}

/** Files below `test`, and those there that they import, directly or indirectly. */
function withHelpers(files: readonly string[], seen = new Set<string>()): string[] {
  for (const file of files.filter((path) => !path.startsWith("..") && !seen.has(path))) {
    seen.add(file);
    const imports = [...readText(`test/${file}`).matchAll(/(?:from|import) ?\(?"(\.[^"]+)"/g)];
    withHelpers(
      imports.map(([, specifier = ""]) => posix.join(posix.dirname(file), specifier)),
      seen,
    );
  }
  return [...seen];
}
