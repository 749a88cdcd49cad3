import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What a package exports. */
export type PackageExports = Readonly<Record<string, unknown>>;

/**
 * Imports a package of the user's app: from the `node_modules` of the working folder, or of a folder above it.
 *
 * @param name the package, such as `"bullmq"`
 * @param from a file whose packages are looked at; default: a file in the working folder
 * @returns what it exports, also if it is CommonJS; undefined if it is not installed
 * @throws what the package throws while it is loaded
 */
export async function usersPackage(
  name: string,
  from: string = join(process.cwd(), "any.js"),
): Promise<PackageExports | undefined> {
  const file = installedFile(name, from);
  if (file === undefined) return undefined;
  const exported = (await import(pathToFileURL(file).href)) as PackageExports;
  const { default: main } = exported;
  return typeof main === "object" || typeof main === "function" ? { ...main, ...exported } : exported;
}

/** The file that a package is loaded from; undefined if it is not installed. */
export function installedFile(name: string, from: string = join(process.cwd(), "any.js")): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
