// Builds src and adapters into dist, from nothing, so that no file outlives its source. What the doors share is bundled into few
// files, since a cold process pays for every file that it opens. The documentation goes into the declarations, where editors
// show it, and not a second time into the JavaScript.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { build } from "rolldown";
import { buildPage } from "./build-page.mjs";

const { exports, bin, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const doors = Object.values(exports);
const nameOf = (door) => door.replace("./dist/", "").replace(/\.js$/, "");

const USERS_OWN = [...Object.keys(dependencies), ...Object.keys(peerDependencies), "better-sqlite3"];

const CORE = /^(src\/(?!testing|client|cli|sandbox|stores\/(redis|postgres|sqlite|forgone|failure))|adapters\/arrived)/;

rmSync("dist", { recursive: true, force: true });
await build({
  input: Object.fromEntries([...doors, ...Object.values(bin)].map((door) => [nameOf(door), `${nameOf(door)}.ts`])),
  // What the user's app has. All else that the tools stand on is bundled, so that nobody has to install it.
  external: (id) => isBuiltin(id) || USERS_OWN.some((name) => id === name || id.startsWith(`${name}/`)),
  platform: "node",
  logLevel: "warn",
  output: {
    dir: "dist",
    comments: false,
    entryFileNames: "[name].js",
    chunkFileNames: "src/[name].js",
    // One file for all that every receiver needs; what only the durable stores or the testing tools share stays out of it.
    codeSplitting: {
      groups: [
        {
          name: "core",
          test: (id) => CORE.test(relative(process.cwd(), id)),
        },
      ],
    },
  },
});

await buildPage();

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--emitDeclarationOnly"], { stdio: "inherit" });

// Declarations that no door leads to would only be carried along.
const reached = new Set();
for (const door of doors) reach(declarationOf(door));
for (const path of emitted(".d.ts").filter((path) => !reached.has(path))) rmSync(path);

// The compiler indents by four spaces, a tenth of all that is installed; a tab says the same.
for (const path of emitted(".ts", ".js")) {
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4)),
  );
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
