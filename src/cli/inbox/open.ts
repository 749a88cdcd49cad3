import { statSync } from "node:fs";
import type { Inbox } from "../../inbox/inbox.ts";
import type { PgBoss } from "../../inbox/pg-boss.ts";
import type { SqliteDatabase } from "../../stores/sqlite.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { printable } from "../printable.ts";
import { driver, redisDriver, sqliteDriver } from "./drivers.ts";
import type { InboxPlace } from "./options.ts";

/** An inbox, and the end of its connections. */
export interface OpenInbox {
  readonly inbox: Inbox;
  close(): Promise<void>;
}

/** How long a server may take to accept a connection, in milliseconds. */
const CONNECT_MS = 5_000;
/** How long PostgreSQL may take to answer a query, in milliseconds. Many events are redriven in one. */
const QUERY_MS = 60_000;

/**
 * Opens an inbox that exists; it creates none.
 *
 * @throws CommandFailed if it does not exist, if its driver is missing, or if its server cannot be reached
 */
export function openInbox(place: InboxPlace): Promise<OpenInbox> {
  if (place.engine === "sqlite") return openSqlite(place);
  return place.engine === "redis" ? openRedis(place) : openPostgres(place);
}

async function openSqlite({ file, table }: InboxPlace & { engine: "sqlite" }): Promise<OpenInbox> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new CommandFailed(`--sqlite ${printable(file)} is not a file.`, EXIT.usage);
  const Database = await sqliteDriver();
  const database = new Database(file) as SqliteDatabase & { close(): void };
  const close = async () => database.close();
  return closedIfItFails(close, async () => {
    const found = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").all(table);
    if (found.length === 0) throw noInbox(`the file has no table ${table}`, "--table");
    database.exec("PRAGMA synchronous = FULL");
    const { sqliteInbox } = await import("../../inbox/sqlite.ts");
    return { inbox: sqliteInbox(database, { table }), close };
  });
}

async function openRedis({ url, queue, prefix }: InboxPlace & { engine: "redis" }): Promise<OpenInbox> {
  const { Queue, Worker, Redis } = await redisDriver();
  // Without a retry it ends with its connection, and so do its commands.
  const client = new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null });
  let cause: Error | undefined;
  client.on("error", (error) => {
    cause = error;
  });
  // On a connection that has ended, it would keep the process running for two seconds.
  const close = async () => (client.status === "end" ? undefined : client.disconnect());
  return closedIfItFails(close, async () => {
    await client.connect().catch((error: Error) => {
      throw noConnection("--redis", cause ?? error, cause?.name === "ReplyError");
    });
    const isThere = await client.exists(`${prefix}:${queue}:meta`);
    if (isThere === 0) throw noInbox(`Redis has no queue ${queue} with the prefix ${prefix}`, "--queue and --prefix");
    const { bullmqInbox } = await import("../../inbox/bullmq.ts");
    const inbox = bullmqInbox({ Queue, Worker, connection: client, name: queue, prefix, warn: false });
    return { inbox, close: () => inbox.close().finally(close) };
  });
}

async function openPostgres({ url, queue, schema }: InboxPlace & { engine: "postgres" }): Promise<OpenInbox> {
  const { Pool } = await driver("--postgres", "pg", ["Pool"]);
  const { PgBoss } = await driver("--postgres", "pg-boss", ["PgBoss"]);
  const limits = { max: 2, connectionTimeoutMillis: CONNECT_MS, query_timeout: QUERY_MS };
  const pool = new Pool({ connectionString: url, ...limits });
  pool.on("error", () => {});
  const close = () => pool.end();
  return closedIfItFails(close, async () => {
    await pool.query("SELECT 1").catch((error: Error) => {
      throw noConnection("--postgres", error, "severity" in error);
    });
    const db = { executeSql: (text: string, values?: unknown[]) => pool.query(text, values) };
    const boss = new PgBoss({ db, schema, migrate: false, supervise: false, schedule: false });
    boss.on("error", () => {});
    await boss.start();
    if ((await boss.getQueue(queue)) === null) throw noInbox(`pg-boss has no queue ${queue} in ${schema}`, "--queue");
    const { pgBossInbox } = await import("../../inbox/pg-boss.ts");
    const inbox = pgBossInbox(withoutChangesOfQueues(boss), { pool, queue, schema });
    return { inbox, close: () => boss.stop({ graceful: false }).finally(close) };
  });
}

/** The settings of a queue are those of the app: an inbox that is opened with other ones must not replace them. */
function withoutChangesOfQueues<Boss extends PgBoss>(boss: Boss): Boss {
  return new Proxy(boss, {
    get(target, name) {
      if (name === "createQueue" || name === "updateQueue") return async () => {};
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

async function closedIfItFails(close: () => Promise<void>, open: () => Promise<OpenInbox>): Promise<OpenInbox> {
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }
}

function noInbox(problem: string, options: string): CommandFailed {
  const remedy = `Either no event has been stored yet, or ${options} must name another one.`;
  return new CommandFailed(`there is no inbox: ${printable(problem)}. ${remedy}`, EXIT.failed, { code: "no_inbox" });
}

/** @param isAnswer whether the server was reached, and refused */
function noConnection(option: string, error: Error, isAnswer: boolean): CommandFailed {
  const reason = printable(error.message || String((error as NodeJS.ErrnoException).code));
  if (isAnswer) return new CommandFailed(`the server of ${option} refused the connection: ${reason}`, EXIT.failed);
  return new CommandFailed(`the server of ${option} could not be reached: ${reason}`, EXIT.unreachable);
}
