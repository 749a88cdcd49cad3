import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { command } from "./command.mjs";

const CACHE = resolve("node_modules/.cache/runtimes");

/**
 * Installs a runtime from npm, unless this version is there already.
 *
 * @returns the path of its binary
 * @throws where it cannot be installed here, or is not the version that was asked for
 */
export async function installRuntime({ package: name, version, tells = version, bin }) {
  const folder = join(CACHE, `${name}-${version}`);
  const binary = join(folder, "node_modules/.bin", bin);
  if (!existsSync(join(folder, "package-lock.json"))) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    // The lock file is written last, and tells that the installation came to its end.
    const options = ["--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
    await command("npm", ["install", ...options, `${name}@${version}`], folder);
  }
  const told = await command(binary, ["--version"], folder);
  if (!told.includes(tells)) throw new Error(`${name}@${version} says that it is ${told.trim()}`);
  return binary;
}
