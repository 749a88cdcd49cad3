import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqliteDatabase } from "../../src/stores/sqlite.ts";

/** A driver's connection, as the tests use it. */
export interface Connection extends SqliteDatabase {
  close(): unknown;
}

/** A driver that this machine has. */
export interface Engine {
  readonly name: "libsql" | "better-sqlite3" | "node:sqlite";
  readonly open: (file: string, options?: object) => Connection;
}

const require = createRequire(import.meta.url);

/**
 * The drivers that can be tried here: libsql always, better-sqlite3 if it has been built, `node:sqlite` if Node has it.
 */
export const engines: readonly Engine[] = [
  fromPackage("libsql"),
  ...optional(() => fromPackage("better-sqlite3")),
  ...optional(builtIn),
];

function fromPackage(name: "libsql" | "better-sqlite3"): Engine {
  const Database = require(name) as new (file: string, options?: object) => Connection;
  new Database(":memory:").close();
  return { name, open: (file, options) => new Database(file, options) };
}

function builtIn(): Engine {
  const name = "node:sqlite";
  // Not by import: this machine's Node, and its types, may know of no such module.
  const { DatabaseSync } = process.getBuiltinModule(name as string) as unknown as {
    DatabaseSync: new (file: string, options?: object) => Connection;
  };
  return { name, open: (file, options = {}) => new DatabaseSync(file, options) };
}

function optional(make: () => Engine): Engine[] {
  try {
    return [make()];
  } catch {
    return [];
  }
}

/** A folder of its own for one test's database file. */
export function freshFile(): { readonly file: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "sqlite-store-"));
  return { file: join(folder, "events.db"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
