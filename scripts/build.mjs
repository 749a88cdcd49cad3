// Compiles src and adapters into dist, from nothing, so that no file outlives its source. The documentation goes into the
// declarations, where editors show it, and not a second time into the JavaScript.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const tsc = (...options) =>
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", ...options], { stdio: "inherit" });

rmSync("dist", { recursive: true, force: true });
tsc("--removeComments", "--declaration", "false", "--isolatedDeclarations", "false");
tsc("--emitDeclarationOnly");

// The compiler indents by four spaces, a tenth of all that is installed; a tab says the same.
for (const name of readdirSync("dist", { recursive: true }).filter(
  (path) => path.endsWith(".ts") || path.endsWith(".js"),
)) {
  const path = join("dist", name);
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4)),
  );
}
