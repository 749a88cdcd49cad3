import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import fc from "fast-check";
import ts from "typescript-5.9";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventMapFile } from "../../src/cli/event-map.ts";
import { startBluum } from "../client/bluum-server.ts";
import { ROOT } from "../docs/markdown.ts";
import { exhaustive, inFull, runs } from "../exhaustive.ts";
import { character } from "../unicode.ts";
import { credentials, runCommand } from "./provider-terminal.ts";

const LIVE = [
  { name: "order.filled", description: "An order was filled", version: "1.0" },
  { name: "order.expired", description: "An order ran out of time", version: "1.0" },
  { name: "transfer.deposit.reversed" },
  { name: "compliance.review.opened", description: "A review was opened" },
];

describe("event-types", () => {
  it("prints a table with a column for names in the package's types", async () => {
    const server = await startBluum({ eventTypes: LIVE });
    const { stdout } = await runCommand(["event-types"], { env: credentials(server) });
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ["name", "version", "typed", "description"],
      ["order.filled", "1.0", "yes", "An order was filled"],
      ["order.expired", "1.0", "no", "An order ran out of time"],
      ["transfer.deposit.reversed", "no"],
      ["compliance.review.opened", "no", "A review was opened"],
      [""],
    ]);
  });

  it("prints JSON", async () => {
    const server = await startBluum({ eventTypes: LIVE.slice(0, 1) });
    const { stdout } = await runCommand(["event-types", "--json"], { env: credentials(server) });
    expect(JSON.parse(stdout)).toEqual({ eventTypes: [{ ...LIVE[0], typed: true }] });
  });
});

describe("event-types --typescript", () => {
  const USE = `
    import { type BluumEvent, createReceiver } from "bluum-webhooks";
    declare const event: BluumEvent;
    if (event.type === "compliance.review.opened") event.data satisfies Record<string, unknown>;
    if (event.type === "order.expired") event.data.symbol satisfies string | undefined;
    if (event.type === "transfer.deposit.reversed") event.data.deposit_id satisfies string | undefined;
    // @ts-expect-error misspelt
    if (event.type === "compliance.review.open") console.log();
    // @ts-expect-error misspelt in a domain that is known now
    createReceiver({ secret: "" }).on("compliance.review.opend", () => {});
    createReceiver({ secret: "" }).on("order.expired", ({ data }) => console.log(data.id));`;

  it.each(exhaustive ? ["typescript-5.4"] : ["typescript"])(
    "prints a file that adds the names to event.type, with %s",
    { ...inFull, timeout: 60_000 },
    async (compiler) => {
      const server = await startBluum({ eventTypes: LIVE });
      const { stdout, stderr } = await runCommand(["event-types", "--typescript"], { env: credentials(server) });
      expect(stderr).toBe("");
      expect(await compilerErrors(compiler, { "use.ts": USE, "bluum-events.d.ts": stdout })).toBe("");
      expect(await compilerErrors(compiler, { "use.ts": USE, "bluum-events.ts": stdout })).toBe("");
      expect(await compilerErrors(compiler, { "use.ts": USE })).toContain("error TS");
    },
  );

  it("prints an empty module if every name is known", async () => {
    const { text } = eventMapFile([{ name: "order.filled", raw: {} }]);
    expect(text).toContain("export {};");
    expect(await compilerErrors("typescript", { "bluum-events.ts": text })).toBe("");
  });

  it("leaves out invalid names, with a note", async () => {
    const evil = 'a": never } } evil(); //\u001b[2J';
    const server = await startBluum({ eventTypes: [{ name: evil }, { name: "order.expired" }] });
    const { stdout, stderr, exitCode } = await runCommand(["event-types", "--typescript"], {
      env: credentials(server),
    });
    expect(stdout).toContain('"order.expired"');
    expect(stdout).not.toContain("evil");
    expect(stderr).toBe('left out, since it is not a valid event name: a": never } } evil(); //\\u{1b}[2J\n');
    expect(exitCode).toBe(0);
  });

  it("contains nothing but names and comments, whatever the server sends", inFull, () => {
    const piece = fc.constantFrom(
      "*/",
      "/*",
      "//",
      '"',
      "`",
      "${",
      "}",
      "\\",
      "\n",
      "\u2028",
      "@ts-ignore",
      "@ts-nocheck",
      "\u202e",
      ";",
    );
    const hostile = fc.array(fc.oneof(piece, fc.string({ unit: character }), fc.constant("order.")), { maxLength: 8 });
    const texts = hostile.map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(fc.array(fc.record({ name: texts, description: texts, raw: fc.constant({}) })), (eventTypes) => {
        const { text, leftOut } = eventMapFile([...eventTypes, { name: "fine.name", raw: {} }]);
        const allowed = eventTypes.map(({ name }) => name).filter((name) => !leftOut.includes(name));
        expect(namesIn(text).toSorted()).toEqual([...allowed, "fine.name"].toSorted());
        expect(text.replaceAll("\n", "")).not.toMatch(/\p{C}|@ts-/u);
      }),
      { numRuns: runs(50, 2_000) },
    );
  });
});

/** The names in a printed file. Fails if it contains anything but the import and one block. */
function namesIn(text: string): string[] {
  const source = ts.createSourceFile("bluum-events.ts", text, ts.ScriptTarget.ES2022);
  expect((source as unknown as { parseDiagnostics: unknown[] }).parseDiagnostics).toEqual([]);
  expect(source.statements.map(({ kind }) => kind)).toEqual([
    ts.SyntaxKind.ImportDeclaration,
    ts.SyntaxKind.ModuleDeclaration,
  ]);
  const { body } = source.statements[1] as ts.ModuleDeclaration;
  const [map, ...others] = (body as ts.ModuleBlock).statements;
  expect(others).toEqual([]);
  return (map as ts.InterfaceDeclaration).members.map((member) => {
    expect(member.kind).toBe(ts.SyntaxKind.PropertySignature);
    return (member.name as ts.StringLiteral).text;
  });
}

let projects = 0;

/** The compiler's errors for these files, in a strict project with this package. */
async function compilerErrors(compiler: string, files: Readonly<Record<string, string>>): Promise<string> {
  projects += 1;
  const folder = `${ROOT}.tmp/event-map-${process.pid}-${projects}/`;
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(folder + name, text);
  const compilerOptions = {
    ...{ target: "es2022", lib: ["es2023", "dom", "dom.iterable"], module: "nodenext", types: ["node"], strict: true },
    ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true },
    ...{ noUnusedLocals: true, skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true },
    typeRoots: [`${ROOT}node_modules/@types`],
    paths: { "bluum-webhooks": [`${ROOT}src/index.ts`] },
  };
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  writeFileSync(`${folder}package.json`, '{"type":"module"}');
  return await promisify(execFile)(process.execPath, [`${ROOT}node_modules/${compiler}/bin/tsc`, "-p", folder]).then(
    () => "",
    (error) => error.stdout || error.message,
  );
}
