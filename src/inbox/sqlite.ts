import type { SqliteDatabase, SqliteStore } from "../stores/sqlite.ts";
import type { Inbox } from "./inbox.ts";

/** An inbox in a SQLite file. */
export interface SqliteInbox extends Inbox {
  readonly store: SqliteStore;
}

export function sqliteInbox(_database: SqliteDatabase): SqliteInbox {
  throw new Error("not built yet");
}
