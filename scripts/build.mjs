// Builds src and adapters into an empty dist, so that no file outlives its source. Code shared by the entry points is bundled into few
// files, since a cold process pays for each file that it opens. Documentation is kept in the declarations, where editors show it, and
// removed from the JavaScript.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { build } from "rolldown";
import { minifySync } from "rolldown/utils";
import { buildPages } from "./build-page.mjs";

const { exports, bin, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const doors = Object.values(exports).filter((target) => target !== "./package.json");
const nameOf = (door) => door.replace("./dist/", "").replace(/\.js$/, "");

const USERS_OWN = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "better-sqlite3", "libsql"];

/** The path of a package, and its name. */
const PACKAGE = /[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/;

/** The code that every receiver needs, as one file; without the code of stores and tools. */
const core = reachableFrom("src/index.ts");

rmSync("dist", { recursive: true, force: true });
const { output: chunks } = await build({
  input: Object.fromEntries([...doors, ...Object.values(bin)].map((door) => [nameOf(door), `${nameOf(door)}.ts`])),
  // Packages that the user's app has. All other dependencies of the tools are bundled, so that users need not install them.
  external: (id) => isBuiltin(id) || USERS_OWN.some((name) => id === name || id.startsWith(`${name}/`)),
  platform: "node",
  logLevel: "warn",
  plugins: [withoutColors(), minifiedPackages()],
  output: {
    dir: "dist",
    comments: false,
    entryFileNames: "[name].js",
    chunkFileNames: "src/[name].js",
    codeSplitting: {
      groups: [
        { name: "core", test: (id) => core.has(relative(process.cwd(), id)) },
        { debugName: "packages", name: (id) => PACKAGE.exec(id)?.[1].replace("/", "-"), test: PACKAGE },
      ],
    },
  },
});
const bundled = [...chunks.flatMap(({ moduleIds = [] }) => moduleIds), ...(await buildPages())];
writeFileSync("dist/LICENSES.txt", licencesOf(bundled));

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--emitDeclarationOnly"], { stdio: "inherit" });

// Removes declarations that no entry point imports.
const reached = new Set();
for (const door of doors) reach(declarationOf(door));
for (const path of emitted(".d.ts").filter((path) => !reached.has(path))) rmSync(path);

// The compiler indents declarations by four spaces, a tenth of the installed size; tabs are shorter. The comment of a whole module is for
// the API reference: no editor shows it. Nor does any need the empty lines before tags.
for (const path of emitted(".d.ts")) {
  writeFileSync(
    path,
    readFileSync(path, "utf8")
      .replace(/^\/\*\*(?:(?!\*\/).)*\n \* @module .*?\*\/\n/s, "")
      .replace(/^\s*\*\n(?=\s*\* @)/gm, "")
      .replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4)),
  );
}

/** Leaves out the colours of cli-table3, which the command line never uses. */
function withoutColors() {
  return {
    name: "without-colors",
    resolveId: (id) => (id === "@colors/colors/safe" ? { id: `\0${id}` } : null),
    load: (id) => (id === "\0@colors/colors/safe" ? "export default {};" : null),
  };
}

/** Minifies the chunks of bundled packages: a third less. The code of this package stays readable. */
function minifiedPackages() {
  return {
    name: "minified-packages",
    renderChunk(code, { fileName, moduleIds }) {
      if (!moduleIds.every((id) => PACKAGE.test(id))) return null;
      const modules = code.match(/^\/\/ node_modules\/.*$/gm) ?? [];
      const { code: minified } = minifySync(fileName, code, { module: true, mangle: { keepNames: true } });
      return `${modules.join("\n")}\n${minified}`;
    },
  };
}

/** A source file and all source files that it imports, directly or indirectly. */
function reachableFrom(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g))
    reachableFrom(join(dirname(file), specifier), seen);
  return seen;
}

/** The licences of all bundled packages. */
function licencesOf(moduleIds) {
  const folders = moduleIds.map(
    (id) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(id.replace(/^\0/, ""))?.[0],
  );
  const texts = [...new Set(folders.filter(Boolean))].sort().map(licenceOf);
  return [`These packages are bundled in the files of this folder, each under its own licence.\n`, ...texts].join(
    `\n${"-".repeat(78)}\n\n`,
  );
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} is bundled and comes without the text of its licence`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

function emitted(...endings) {
  const paths = readdirSync("dist", { recursive: true }).map((name) => join("dist", name));
  return paths.filter((path) => endings.some((ending) => path.endsWith(ending)));
}

function declarationOf(path) {
  return join(path.replace(/\.(js|ts)$/, ".d.ts"));
}

function reach(declaration) {
  if (reached.has(declaration)) return;
  reached.add(declaration);
  for (const [, specifier] of readFileSync(declaration, "utf8").matchAll(/(?:from|import) ?\(?"(\.[^"]+)"/g)) {
    reach(declarationOf(join(dirname(declaration), specifier)));
  }
}
