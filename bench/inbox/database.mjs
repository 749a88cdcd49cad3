// SQLite files under WAL and synchronous = FULL: each commit reaches the disk.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";

/** A folder for the files of one measurement; they go with the process, if `remove` is not called before. */
export function databaseFolder() {
  const folder = mkdtempSync(join(tmpdir(), "bluum-inbox-"));
  const databases = [];
  const remove = () => {
    for (const database of databases.splice(0)) database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove);
  let next = 0;
  const open = () => {
    const database = new Database(join(folder, `${next++}.db`));
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    databases.push(database);
    return database;
  };
  return { open, remove };
}
