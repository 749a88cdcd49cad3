import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const doors: [string, string][] = Object.entries(manifest.exports);

/** The doors through which deliveries are received. */
const RECEIVING = [".", "./express", "./koa", "./fastify", "./hono", "./node", "./fetch", "./lambda"];

/** The source of a door: `./dist/adapters/koa.js` is compiled from `adapters/koa.ts`. */
const sourceOf = (target: string) => target.replace("./dist/", "").replace(/\.js$/, ".ts");

/** What a door loads in a process of its own. */
function loadedBy(target: string): string {
  const script = `await import(${JSON.stringify(pathToFileURL(`${root}${target}`).href)});
    const { createRequire } = await import("node:module");
    console.log(Object.keys(createRequire(import.meta.url).cache).join("\\n"));`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
}

/** Every source that a source imports at run time, straight or through others. */
function reachableFrom(source: string, seen = new Set<string>()): string[] {
  if (seen.has(source)) return [];
  seen.add(source);
  const text = readFileSync(`${root}${source}`, "utf8");
  const imports = [...text.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gms)];
  for (const [, specifier] of imports) reachableFrom(posix.join(posix.dirname(source), specifier ?? ""), seen);
  return [...seen];
}

/** Every built file that a built file imports, straight or through others, itself included. */
function builtFilesOf(path: string, seen = new Set<string>()): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  const imports = readFileSync(`${root}${path}`, "utf8").matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)"/gms);
  for (const [, specifier] of imports) builtFilesOf(posix.join(posix.dirname(path), specifier ?? ""), seen);
  return [...seen];
}

describe("the doors of the package", () => {
  it.each(doors)("%s leads to a compiled file with its types beside it, and has a source", (_door, target) => {
    expect(existsSync(`${root}${target}`), "run `npm run build` first").toBe(true);
    expect(existsSync(`${root}${target.replace(/\.js$/, ".d.ts")}`)).toBe(true);
    expect(existsSync(`${root}${sourceOf(target)}`)).toBe(true);
  });

  it("are the face, the testing face, every adapter and every durable store: none is forgotten", () => {
    // What two adapters share is no door.
    const names = readdirSync(`${root}adapters`).filter((name) => name !== "arrived.ts");
    const adapters = names.map((name) => `adapters/${name}`);
    const stores = ["postgres", "redis", "sqlite"].map((name) => `src/stores/${name}.ts`);
    const sources = doors.map(([, target]) => sourceOf(target));
    expect(sources.toSorted()).toEqual(["src/index.ts", "src/testing.ts", ...adapters, ...stores].toSorted());
  });

  it("to receive do not load the durable stores, nor the testing tools", () => {
    for (const door of RECEIVING) {
      expect(reachableFrom(sourceOf(manifest.exports[door]))).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/stores\/(redis|postgres|sqlite)|testing/)]),
      );
    }
  });

  it("to receive come in few files, since a cold process pays for each", () => {
    for (const door of RECEIVING)
      expect(builtFilesOf(posix.normalize(manifest.exports[door])).length).toBeLessThanOrEqual(5);
  });

  it.each(doors)("%s can be imported and required by its name", async (door) => {
    const name = `bluum-webhooks${door.slice(1)}`;
    const script = `const required = require(${JSON.stringify(name)});
      import(${JSON.stringify(name)}).then((imported) => { if (imported !== required && Object.keys(imported).some((key) => imported[key] !== required[key])) process.exit(1); });`;
    execFileSync(process.execPath, ["-e", script], { cwd: root, stdio: "ignore" });
  });

  it("of the fetch family and of Lambda never load raw-body, nor does the core", () => {
    for (const door of ["./fetch", "./hono", "./lambda", "."])
      expect(loadedBy(manifest.exports[door])).not.toContain("raw-body");
    expect(loadedBy(manifest.exports["./express"])).toContain("raw-body");
  });

  it("load no framework", () => {
    for (const [, target] of doors)
      expect(loadedBy(target)).not.toMatch(/node_modules\/(express|koa|fastify|hono|@hono)\//);
  });
});

describe("the manifest", () => {
  const packed = pack();

  it("depends on raw-body alone; frameworks are optional peers", () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["raw-body"]);
    for (const peer of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true });
    }
  });

  it("keeps the packed package small: under 260 kB to receive, under 400 kB with the durable stores and the testing tools", () => {
    const more = packed.files.filter(({ path }) =>
      /stores\/(redis|postgres|sqlite|forgone|failure|transaction)|src\/testing/.test(path),
    );
    expect(packed.unpackedSize - more.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(260_000);
    expect(packed.unpackedSize).toBeLessThan(400_000);
  });

  it("publishes what was built and the page that the log names, no source and no test", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => /^(src|adapters|test|examples|scripts)\//.test(path))).toEqual([]);
    expect(paths).toContain("docs/errors.md");
  });
});

/** What would be published; without `prepack`, which would take `dist` from under the other tests. */
function pack(): { readonly unpackedSize: number; readonly files: readonly { path: string; size: number }[] } {
  const args = ["pack", "--dry-run", "--json", "--silent", "--ignore-scripts"];
  return JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }))[0];
}
