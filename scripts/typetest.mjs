// Compiles the type tests under every supported TypeScript. Prints one line for each; exit code 1 if any fails.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const COMPILERS = ["typescript", "typescript-5.9", "typescript-5.4"];
const PROJECTS = ["test/types", "test/types/merging"];

const root = fileURLToPath(new URL("..", import.meta.url));

for (const compiler of COMPILERS) {
  const { version } = JSON.parse(readFileSync(`${root}node_modules/${compiler}/package.json`, "utf8"));
  const failures = [];
  for (const project of PROJECTS) failures.push(...(await compile(compiler, project)));
  process.stdout.write(`TypeScript ${version}: ${failures.length === 0 ? "ok" : "FAILED"}\n${failures.join("")}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** @returns the output of the compiler; nothing if there are no errors */
async function compile(compiler, project) {
  try {
    await promisify(execFile)(process.execPath, [`node_modules/${compiler}/bin/tsc`, "-p", project], { cwd: root });
    return [];
  } catch (error) {
    return [error.stdout || `${error.message}\n`];
  }
}
