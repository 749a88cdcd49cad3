import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { command } from "./command.mjs";

const CACHE = resolve("node_modules/.cache/runtimes");

/**
 * Installs a runtime from npm, unless this version is there already.
 *
 * @returns the path of its binary
 * @throws if it cannot be installed, or has another version
 */
export async function installRuntime({ package: name, version, prints = version, bin }) {
  const folder = join(CACHE, `${name}-${version}`);
  const binary = join(folder, "node_modules/.bin", bin);
  if (!existsSync(join(folder, "package-lock.json"))) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // The lock file is written last: with it the installation is complete.
    const options = ["--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
    await command("npm", ["install", ...options, `${name}@${version}`], folder);
  }
  const printed = await command(binary, ["--version"], folder);
  if (!printed.includes(prints)) throw new Error(`${name}@${version} says that it is ${printed.trim()}`);
  return binary;
}
