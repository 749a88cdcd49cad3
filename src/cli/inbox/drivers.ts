import type { BullmqQueueClass, BullmqWorkerClass } from "../../inbox/bullmq.ts";
import type { InboxPool, PgBoss } from "../../inbox/pg-boss.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { printable } from "../printable.ts";
import { installedFile, type PackageExports, usersPackage } from "../users-package.ts";

/** What the command uses of the drivers' classes. */
interface Classes {
  readonly Pool: new (
    options: object,
  ) => InboxPool & {
    on(event: "error", listener: (error: Error) => void): unknown;
    query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
    end(): Promise<void>;
  };
  readonly PgBoss: new (
    options: object,
  ) => PgBoss & {
    on(event: "error", listener: (error: Error) => void): unknown;
    start(): Promise<unknown>;
    getQueue(name: string): Promise<object | null>;
    stop(options: object): Promise<void>;
  };
  readonly Queue: BullmqQueueClass;
  readonly Worker: BullmqWorkerClass;
  readonly Redis: new (
    url: string,
    options: object,
  ) => {
    readonly status: string;
    on(event: "error", listener: (error: Error) => void): unknown;
    connect(): Promise<void>;
    exists(key: string): Promise<number>;
    disconnect(): void;
  };
}

/** The class of a connection to SQLite. */
type DatabaseClass = new (file: string) => object;

/**
 * Classes of one of the user's packages.
 *
 * @param option the option that needs it
 * @param from the file that imports it, if that is not the user's app
 * @throws CommandFailed `driver_missing` if it is not installed, or cannot be loaded
 */
export async function driver<Name extends keyof Classes>(
  option: string,
  name: string,
  classes: readonly Name[],
  from?: string,
): Promise<Pick<Classes, Name>> {
  const exported = await loaded(option, name, from);
  if (exported === undefined) throw missing(option, INSTALL[option] ?? name);
  // A package may be its class.
  const found = classes.map((each) => [each, exported[each] ?? exported.default]);
  return Object.fromEntries(found) as Pick<Classes, Name>;
}

/** The classes of BullMQ and ioredis. ioredis may be installed for BullMQ only. */
export async function redisDriver(): Promise<Pick<Classes, "Queue" | "Worker" | "Redis">> {
  const bullmq = await driver("--redis", "bullmq", ["Queue", "Worker"]);
  const from = installedFile("ioredis") === undefined ? installedFile("bullmq") : undefined;
  return { ...bullmq, ...(await driver("--redis", "ioredis", ["Redis"], from)) };
}

/** The first driver for SQLite that is installed and can be loaded. */
export async function sqliteDriver(): Promise<DatabaseClass> {
  let failure: unknown;
  for (const name of ["libsql", "better-sqlite3"]) {
    const exported = await loaded("--sqlite", name).catch((error) => {
      failure = error;
    });
    if (exported !== undefined) return (exported.default ?? exported.Database) as DatabaseClass;
  }
  const builtIn = process.getBuiltinModule("node:sqlite" as string) as { DatabaseSync?: DatabaseClass } | undefined;
  if (builtIn?.DatabaseSync !== undefined) return builtIn.DatabaseSync;
  throw failure ?? missing("--sqlite", INSTALL["--sqlite"] as string);
}

const INSTALL: Readonly<Record<string, string>> = {
  "--sqlite": "libsql",
  "--redis": "bullmq ioredis",
  "--postgres": "pg-boss pg",
};

async function loaded(option: string, name: string, from?: string): Promise<PackageExports | undefined> {
  try {
    return await usersPackage(name, from);
  } catch (cause) {
    const reason = printable(cause instanceof Error ? cause.message : String(cause));
    const message = `${option} needs the package ${name}, which cannot be loaded: ${reason}`;
    throw new CommandFailed(message, EXIT.failed, { code: "driver_missing", cause });
  }
}

function missing(option: string, packages: string): CommandFailed {
  const [names, pronoun] = packages.includes(" ")
    ? [`the packages ${packages.replace(" ", " and ")}`, "them"]
    : [`the package ${packages}`, "it"];
  const message = `${option} needs ${names} in the node_modules of this folder or one above it. Run the command in the folder of your app, or install ${pronoun}: npm install ${packages}`;
  return new CommandFailed(message, EXIT.failed, { code: "driver_missing" });
}
