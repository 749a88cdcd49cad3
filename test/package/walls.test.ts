import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generated, ROOMS } from "../../scripts/walls.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rooms: [string, readonly string[]][] = Object.entries(ROOMS);

/** A forbidden import: its file, and what it imports. */
interface Breach {
  readonly file: string;
  readonly specifier: string;
}

const betweenRooms: Breach[] = rooms.flatMap(([room, allowed]) =>
  rooms
    .filter(([other]) => other !== room && !allowed.includes(other))
    .flatMap(([other]) => [
      { file: `src/${room}/probe-${other}.ts`, specifier: `../${other}/some-file.ts` },
      { file: `src/${room}/inner/deep/probe-${other}.ts`, specifier: `../../../${other}/inner/some-file.ts` },
    ]),
);
const others: Breach[] = [
  ...rooms.map(([room]) => ({ file: `src/${room}/probe-adapters.ts`, specifier: "../../adapters/node.ts" })),
  { file: "src/pipeline/probe-index.ts", specifier: "../index.ts" },
  { file: "src/stores/inner/probe-index.ts", specifier: "../../index.ts" },
  { file: "src/delivery.ts", specifier: "./pipeline/receiver.ts" },
  { file: "adapters/probe-pipeline.ts", specifier: "../src/pipeline/receiver.ts" },
  { file: "adapters/node/probe-pipeline.ts", specifier: "../../src/pipeline/receiver.ts" },
  { file: "adapters/hono.ts", specifier: "raw-body" },
  { file: "adapters/lambda.ts", specifier: "./node.ts" },
  { file: "adapters/fetch/probe-node.ts", specifier: "../node/stream.ts" },
  { file: "adapters/hono/probe-node.ts", specifier: "../node.ts" },
];
const CIRCLE = ["src/events/circle-a.ts", "src/events/circle-b.ts"];

describe("the walls between rooms", () => {
  const copy = mkdtempSync(join(tmpdir(), "walls-"));
  let findings: { readonly category: string; readonly file: string }[] = [];

  beforeAll(() => {
    for (const name of ["src", "adapters", "biome.json", "biome.walls.json", "package.json"])
      cpSync(root + name, join(copy, name), { recursive: true });
    symlinkSync(`${root}node_modules`, join(copy, "node_modules"));
    for (const { file, specifier } of [...betweenRooms, ...others]) add(file, specifier);
    for (const [index, file] of CIRCLE.entries()) add(file, `./circle-${index === 0 ? "b" : "a"}.ts`);
    findings = lint();
  }, 60_000);

  afterAll(() => rmSync(copy, { recursive: true }));

  function add(file: string, specifier: string): void {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), `import type { Probe } from "${specifier}";\nexport type Use = Probe;\n`);
  }

  function lint(): typeof findings {
    const args = ["lint", "--reporter=json", "--max-diagnostics=none", "--vcs-enabled=false", "src", "adapters"];
    let report: string;
    try {
      report = execFileSync(`${root}node_modules/.bin/biome`, args, { cwd: copy, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      report = (error as { stdout: string }).stdout;
    }
    const { diagnostics } = JSON.parse(report) as {
      diagnostics: { category: string; location: { path: string | { file: string } } }[];
    };
    return diagnostics.map(({ category, location: { path } }) => ({
      category,
      file: typeof path === "string" ? path : path.file,
    }));
  }

  const filesWith = (category: string) => findings.filter((each) => each.category === category).map(({ file }) => file);

  it("are generated from the table of rooms", () => {
    expect(readFileSync(`${root}biome.walls.json`, "utf8")).toBe(generated);
  });

  it("refuse every import that the table does not allow, at any depth, also of types", () => {
    const refused = filesWith("lint/style/noRestrictedImports");
    expect(betweenRooms.length).toBeGreaterThan(50);
    expect([...betweenRooms, ...others].filter(({ file }) => !refused.includes(file))).toEqual([]);
  });

  it("refuse circles of type imports", () => {
    expect(filesWith("lint/suspicious/noImportCycles")).toEqual(expect.arrayContaining(CIRCLE));
  });
});
