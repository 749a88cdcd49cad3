// Every supported TypeScript takes the databases of the SQLite drivers.
import type BetterSqlite3 from "better-sqlite3";
import type LibSql from "libsql";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";

declare const database: BetterSqlite3.Database;
declare const libsql: LibSql.Database;

sqliteStore(database);
sqliteStore(libsql);
sqliteInbox(database);
sqliteInbox(libsql);
