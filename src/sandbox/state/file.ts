import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import process from "node:process";
import type { SqliteDatabase } from "../../stores/sqlite/database.ts";
import { checks } from "../checks.ts";
import { sqliteState } from "./sqlite.ts";
import type { State } from "./state.ts";

type Connection = SqliteDatabase & { close(): unknown };
type Driver = new (path: string) => Connection;

/**
 * Keeps the state in a SQLite file, opened with `node:sqlite`, or else with the user's better-sqlite3 or libsql. The state contains
 * secrets, so the file has mode 0600.
 *
 * @throws WebhookError `configuration_invalid` if there is no driver, or the file cannot be opened or made private
 */
export async function fileState(path: string): Promise<State> {
  const Database = builtIn() ?? (await installed());
  if (Database === undefined) {
    throw checks.invalid(
      "statePath",
      "needs a SQLite driver: use Node 22.13 or later (node:sqlite), or npm install better-sqlite3 or libsql",
    );
  }
  const database = open(Database, path);
  try {
    const state = sqliteState(database, () => database.close());
    makePrivate(path);
    return state;
  } catch (error) {
    database.close();
    throw error;
  }
}

function builtIn(): Driver | undefined {
  // Not with import: a runtime without it would refuse the whole module.
  const { DatabaseSync } = (process.getBuiltinModule?.("node:sqlite" as string) ?? {}) as { DatabaseSync?: Driver };
  return DatabaseSync;
}

async function installed(): Promise<Driver | undefined> {
  for (const name of ["better-sqlite3", "libsql"]) {
    try {
      const { default: Database } = (await import(name)) as { readonly default: Driver };
      return Database;
    } catch {
      // Not installed, or not built for this machine.
    }
  }
  return undefined;
}

function open(Database: Driver, path: string): Connection {
  try {
    // SQLite itself would create the file readable for all users. Its journal gets the mode of the file.
    closeSync(openSync(path, "a", 0o600));
    return new Database(path);
  } catch (error) {
    throw checks.invalid("statePath", "cannot be opened", error);
  }
}

const COMPANIONS = ["", "-journal", "-wal", "-shm"];

/** An earlier version may have created the files readable for other users. */
function makePrivate(path: string): void {
  for (const file of COMPANIONS.map((ending) => path + ending)) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    try {
      if ((mode & 0o077) !== 0) chmodSync(file, 0o600);
    } catch (error) {
      throw checks.invalid("statePath", "contains secrets and cannot be made readable for its owner alone", error);
    }
  }
}
