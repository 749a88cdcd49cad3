import { resolve } from "node:path";
import { command } from "./command.mjs";
import { installedVersion } from "./folder.mjs";

/** Every supported TypeScript, by its name in this repository's node_modules. */
export const COMPILERS = ["typescript-5.4", "typescript-5.9", "typescript"];

const OPTIONS = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
const RESOLUTIONS = {
  nodenext: ["--module", "nodenext", "--moduleResolution", "nodenext"],
  bundler: ["--module", "esnext", "--moduleResolution", "bundler"],
};

/**
 * Compiles programs against the installed package, its declarations included, under each compiler and resolution.
 *
 * @returns a line for each compiler, with its errors
 */
export async function checkTypes(folder) {
  const lines = [];
  for (const name of COMPILERS) {
    const attempts = [];
    for (const options of Object.values(RESOLUTIONS)) attempts.push([...options, "consumers/doors.ts"]);
    // A CommonJS program that requires ESM: TypeScript knows since 5.8 that Node can.
    if (name !== "typescript-5.4") attempts.push([...RESOLUTIONS.nodenext, "consumers/required.cts"]);
    const errors = [];
    for (const attempt of attempts) errors.push(...(await compile(folder, name, attempt)));
    lines.push({
      subject: `TypeScript ${installedVersion(name)}, ${Object.keys(RESOLUTIONS).join(" and ")}`,
      checks: attempts.length,
      errors,
    });
  }
  return lines;
}

async function compile(folder, name, args) {
  const compiler = resolve("node_modules", name, "bin/tsc");
  try {
    await command(process.execPath, [compiler, ...OPTIONS, ...args], folder);
    return [];
  } catch (error) {
    return [error.message];
  }
}
