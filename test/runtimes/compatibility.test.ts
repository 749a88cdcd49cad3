import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT, readText } from "../docs/markdown.ts";
import { compatibility, RECORD, tableInPage, tableOf } from "./compatibility.mjs";
import { FRAMEWORKS } from "./frameworks.mjs";

const recorded = JSON.parse(readText(RECORD));
const REMEDY = "run `npm run test:runtimes -- --write`";

describe("the table of frameworks and runtimes", () => {
  it("names the frameworks and compilers in the versions that are installed, and so are run by the tests", () => {
    const { frameworks, typescript } = compatibility();
    expect(recorded.frameworks, REMEDY).toEqual(frameworks);
    expect(recorded.typescript, REMEDY).toEqual(typescript);
  });

  it("names the runtimes in the versions that are pinned", () => {
    expect(recorded.runtimes, REMEDY).toEqual(compatibility().runtimes);
  });

  it("stands in its page as it was recorded", () => {
    expect(tableInPage(), REMEDY).toBe(tableOf(recorded));
  });

  it("leaves no framework out that the package has as a peer", () => {
    const { peerDependencies } = JSON.parse(readText("package.json"));
    const listed = [...FRAMEWORKS.map((framework) => framework.package), "@opentelemetry/api"]; // which is none
    expect(Object.keys(peerDependencies).filter((peer) => !listed.includes(peer))).toEqual([]);
  });

  const tests = readdirSync(`${ROOT}test/adapters`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(`${ROOT}test/adapters/${name}`, "utf8"))
    .join("\n");
  it.each(FRAMEWORKS)("$name is imported by a test of its adapter", (framework) => {
    expect(tests).toMatch(new RegExp(`from "${framework.package}["/]`));
  });
});
