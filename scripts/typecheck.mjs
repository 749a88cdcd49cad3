// Type-checks the sources, the pages, the tests, and the type tests under every supported TypeScript.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const PROJECTS = ["tsconfig.json", "src/page", "src/sandbox/page", "src/inbox/page/browser", "test"];
for (const args of [...PROJECTS.map((project) => [compiler, "-p", project]), ["scripts/typetest.mjs"]]) {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
