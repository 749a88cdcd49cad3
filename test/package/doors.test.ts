import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const exported: [string, string][] = Object.entries(manifest.exports);
const doors = exported.filter(([door]) => door !== "./package.json");

/** The doors through which deliveries are received. */
const RECEIVING = [".", "./express", "./koa", "./fastify", "./hono", "./node", "./fetch", "./lambda", "./adapter"];

/** The source of a door: `./dist/adapters/koa.js` is compiled from `adapters/koa.ts`. */
const sourceOf = (target: string) => target.replace("./dist/", "").replace(/\.js$/, ".ts");

/** The modules that a door loads in a fresh process. */
function loadedBy(target: string): string {
  const script = `await import(${JSON.stringify(pathToFileURL(`${root}${target}`).href)});
    const { createRequire } = await import("node:module");
    console.log(Object.keys(createRequire(import.meta.url).cache).join("\\n"));`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
}

/** Every source that a source imports at run time, directly or indirectly. */
function reachableFrom(source: string, seen = new Set<string>()): string[] {
  if (seen.has(source)) return [];
  seen.add(source);
  const text = readFileSync(`${root}${source}`, "utf8");
  const imports = [...text.matchAll(/^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"/gms)];
  for (const [, specifier] of imports) reachableFrom(posix.join(posix.dirname(source), specifier ?? ""), seen);
  return [...seen];
}

/** Every built file that a built file imports, directly or indirectly, itself included. */
function builtFilesOf(path: string, seen = new Set<string>()): string[] {
  if (seen.has(path)) return [];
  seen.add(path);
  const imports = readFileSync(`${root}${path}`, "utf8").matchAll(/^(?:import|export)[^;]*? from "(\.[^"]+)"/gms);
  for (const [, specifier] of imports) builtFilesOf(posix.join(posix.dirname(path), specifier ?? ""), seen);
  return [...seen];
}

/** The sources of a built file, from the bundler's comment above each. */
function modulesIn(path: string): string[] {
  const text = readFileSync(`${root}${path}`, "utf8");
  return [...text.matchAll(/^\/\/ ((?:src|adapters|node_modules)\/\S+)$/gm)].map(([, source = ""]) => source);
}

describe("the doors of the package", () => {
  it.each(doors)("%s has a compiled file, its types and a source", (_door, target) => {
    expect(existsSync(`${root}${target}`), "run `npm run build` first").toBe(true);
    expect(existsSync(`${root}${target.replace(/\.js$/, ".d.ts")}`)).toBe(true);
    expect(existsSync(`${root}${sourceOf(target)}`)).toBe(true);
  });

  it("are the indexes of src, all adapters, all durable stores, all inboxes, their page and OpenTelemetry", () => {
    const filesIn = (folder: string) =>
      readdirSync(root + folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const pathsIn = (folder: string) => filesIn(folder).map(({ name }) => `${folder}/${name}`);
    const inSrc = readdirSync(`${root}src`, { recursive: true }).map((name) => `src/${name}`);
    const indexes = ["src/adapter.ts", ...inSrc.filter((path) => /^src\/(\w+\/)?index\.ts$/.test(path))];
    // A durable store has parts, in a folder of its name.
    const stores = pathsIn("src/stores").filter((path) => existsSync(root + path.replace(/\.ts$/, "")));
    const sources = doors.map(([, target]) => sourceOf(target));
    const engines = ["sqlite", "bullmq", "pg-boss", "queue", "page"].map((door) => `src/inbox/${door}.ts`);
    const telemetry = "src/telemetry/opentelemetry.ts";
    expect(sources.toSorted()).toEqual(
      [...indexes, ...pathsIn("adapters"), ...stores, ...engines, telemetry].toSorted(),
    );
  });

  it("give applications at most 14 values by the main door", async () => {
    const values = Object.keys(await import(`${root}${manifest.exports["."]}`));
    expect(values).toContain("createReceiver");
    expect(values.length).toBeLessThanOrEqual(14);
  });

  it("to receive load no durable store, inbox engine or page, OpenTelemetry, testing tools, client, sandbox or command line", () => {
    for (const door of RECEIVING) {
      expect(reachableFrom(sourceOf(manifest.exports[door]))).not.toEqual(
        expect.arrayContaining([
          expect.stringMatching(
            /(stores|inbox)\/(redis|postgres|sqlite|backend|bullmq|pg-boss|queue|page)|opentelemetry|src\/(testing|client|page|sandbox|cli)/,
          ),
        ]),
      );
    }
  });

  it("of the inbox's engines do not load its page", () => {
    const engines = exported.filter(([door]) => /^\.\/inbox\/(?!page)/.test(door));
    expect(engines.length).toBe(4);
    for (const [, target] of engines) {
      const modules = builtFilesOf(posix.normalize(target)).flatMap(modulesIn);
      expect([...modules, ...reachableFrom(sourceOf(target))].filter((path) => /\/page\b/.test(path))).toEqual([]);
    }
  });

  it("to receive load at most five files", () => {
    for (const door of RECEIVING)
      expect(builtFilesOf(posix.normalize(manifest.exports[door])).length).toBeLessThanOrEqual(5);
  });

  it("to receive load no tools and no bundled packages", () => {
    expect(modulesIn("dist/src/program.js")).toContain("src/cli/program.ts");
    for (const door of RECEIVING) {
      const modules = builtFilesOf(posix.normalize(manifest.exports[door])).flatMap(modulesIn);
      expect(modules).not.toEqual([]);
      expect(
        modules.filter((path) =>
          /^node_modules|opentelemetry|^src\/(testing|client|page|inbox\/page|sandbox|cli)/.test(path),
        ),
      ).toEqual([]);
    }
  });

  it.each(doors)("%s has no import.meta and no top-level await, which CommonJS cannot have", (_door, target) => {
    for (const path of builtFilesOf(posix.normalize(target))) {
      expect(readFileSync(`${root}${path}`, "utf8"), path).not.toMatch(/\bimport\.meta\b|^(?:const .* = )?await /m);
    }
  });

  it.each(doors)("%s can be imported and required by its name", async (door) => {
    const name = `bluum-webhooks${door.slice(1)}`;
    const script = `const required = require(${JSON.stringify(name)});
      import(${JSON.stringify(name)}).then((imported) => { if (imported !== required && Object.keys(imported).some((key) => imported[key] !== required[key])) process.exit(1); });`;
    execFileSync(process.execPath, ["-e", script], { cwd: root, stdio: "ignore" });
  });

  it("of the fetch family, of Lambda and of the core never load raw-body", () => {
    for (const door of ["./fetch", "./hono", "./lambda", "."])
      expect(loadedBy(manifest.exports[door])).not.toContain("raw-body");
    expect(loadedBy(manifest.exports["./express"])).toContain("raw-body");
  });

  it("load no framework, and no driver or queue that the user hands in", { timeout: 60_000 }, () => {
    for (const [, target] of doors)
      expect(loadedBy(target)).not.toMatch(
        /node_modules\/(express|koa|fastify|hono|@hono|bullmq|pg-boss|pg|ioredis|libsql|better-sqlite3)\//,
      );
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

  it("keeps the code to receive under 245 kB, with durable stores, inboxes and testing tools under 575 kB, all files under 1.75 MB", () => {
    const receiving = filesToReceive();
    const tools = toolFiles();
    expect(sizeOf((path) => receiving.has(path))).toBeLessThan(245_000);
    expect(sizeOf((path) => !tools.has(path) && !/\.md$|LICENSE|^(examples|observability)\//.test(path))).toBeLessThan(
      575_000,
    );
    expect(packed.unpackedSize).toBeLessThan(1_750_000);
  });

  it("carries the licence of every package that is bundled", () => {
    const built = packed.files.map(({ path }) => path).filter((path) => path.endsWith(".js"));
    const noted = built.flatMap(modulesIn).flatMap((path) => packageOf(path.split("node_modules/").slice(1).at(-1)));
    const own = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const bundled = new Set([...noted, ...importedPackages()].filter((name) => !own.includes(name)));
    expect([...bundled]).toEqual(
      expect.arrayContaining(["commander", "picocolors", "cli-table3", "string-width", "preact"]),
    );
    const licences = readFileSync(`${root}dist/LICENSES.txt`, "utf8");
    for (const name of bundled) expect(licences).toMatch(new RegExp(`^${name} \\d\\S* \\(\\S+\\)\n\n.*\n`, "m"));
    expect(packed.files.map(({ path }) => path)).toContain("dist/LICENSES.txt");
  });

  /** The size of some of the published files. */
  function sizeOf(counts: (path: string) => boolean): number {
    return packed.files.filter(({ path }) => counts(path)).reduce((sum, { size }) => sum + size, 0);
  }

  it("publishes the built files, the pages and the examples, no source and no test", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => /^(src|adapters|test|scripts|bench)\//.test(path))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(["docs/reference/errors.md", "examples/express/app.mjs"]));
    expect(paths).toEqual(expect.arrayContaining(["dist/src/sandbox/page.html", "dist/src/inbox/page.html"]));
  });
});

/** The packages that the sources import at run time. */
function importedPackages(): string[] {
  const sources = readdirSync(`${root}src`, { recursive: true }).map(String);
  const texts = sources
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(`${root}src/${name}`, "utf8"));
  const specifiers = texts.flatMap((text) => [
    ...text.matchAll(/^(?:import|export)(?! type)[^;"`]*? from "([^".][^"]*)"/gms),
  ]);
  return specifiers.flatMap(([, specifier = ""]) => (specifier.startsWith("node:") ? [] : packageOf(specifier)));
}

/** The package's name at the start of a specifier. */
function packageOf(specifier = ""): string[] {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.slice(0, 1) ?? [];
}

/** The files of the doors to receive, and their declarations. */
function filesToReceive(): Set<string> {
  const files = new Set<string>();
  for (const door of RECEIVING) {
    const built = posix.normalize(manifest.exports[door]);
    builtFilesOf(built, files);
    declarationsOf(built.replace(/\.js$/, ".d.ts"), files);
  }
  return files;
}

/** Adds a declaration file, and those that it imports. They import each other by the names of their sources. */
function declarationsOf(path: string, seen: Set<string>): void {
  if (seen.has(path)) return;
  seen.add(path);
  for (const [, specifier = ""] of readFileSync(`${root}${path}`, "utf8").matchAll(/ from "(\.[^"]+)"/g))
    declarationsOf(posix.join(posix.dirname(path), specifier.replace(/\.ts$/, ".d.ts")), seen);
}

/** The files that only the command line, the client or the sandbox loads, declarations included. */
function toolFiles(): Set<string> {
  const tools = ["./dist/src/cli/bin.js", manifest.exports["./client"], manifest.exports["./sandbox"]];
  const others = doors.map(([, target]) => target).filter((target) => !tools.includes(target));
  const shared = new Set(others.flatMap((target) => builtFilesOf(posix.normalize(target))));
  const loaded = readdirSync(`${root}dist`, { recursive: true }).map((name) => posix.join("dist", String(name)));
  const bundles = loaded.filter((path) => /\.(js|html)$/.test(path) && !shared.has(path));
  const declarations = loaded.filter((path) => /^dist\/src\/(client|sandbox|cli)\b.*\.d\.ts$/.test(path));
  return new Set([...bundles, ...declarations]);
}

/** The published files. Without `prepack`, which would remove `dist` while other tests use it. */
function pack(): { readonly unpackedSize: number; readonly files: readonly { path: string; size: number }[] } {
  const args = ["pack", "--dry-run", "--json", "--silent", "--ignore-scripts"];
  return JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }))[0];
}
