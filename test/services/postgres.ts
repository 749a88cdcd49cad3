import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "./ports.ts";

/** A PostgreSQL that tests may use, each in a schema of its own. */
export interface PostgresService {
  readonly url: string;
  /** Stops it if these tests have started it. */
  stop(): Promise<void>;
}

/** A PostgreSQL for one test file. */
export interface PrivatePostgres extends PostgresService {
  readonly port: number;
  /** Kills it, as a crash does, and waits for its end. */
  kill(): Promise<void>;
  /** Kills it and all of its processes with SIGKILL, as a machine that fails: they tell nobody. */
  crash(): Promise<void>;
  /** Starts it again, on the same port and with the same files. */
  start(): Promise<void>;
  /** Suspends it: connections stay open, and no query is answered. */
  freeze(): void;
  thaw(): void;
}

/** A PostgreSQL that follows another one. */
export interface StandbyPostgres extends PrivatePostgres {
  /** Makes it a primary; resolves once it takes writes. */
  promote(): Promise<void>;
}

/** A schema for one test. */
export interface OwnSchema {
  readonly name: string;
  drop(): Promise<void>;
}

/** A database for one test file. */
export interface OwnDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

const LOCAL = ["test", "postgres"].map((database) => `postgres://postgres:test@127.0.0.1:5432/${database}`);
const BINARIES = "/usr/lib/postgresql";

/**
 * The PostgreSQL for tests: that of DATABASE_URL, else one on 127.0.0.1:5432, else one started here. Without one its tests are
 * skipped with a warning; with CI=true they fail.
 */
export async function findPostgres(): Promise<PostgresService | undefined> {
  const url = process.env.DATABASE_URL;
  if (url) return { url, async stop() {} };
  for (const local of LOCAL) if (await answers(local)) return { url: local, async stop() {} };
  if (binaries() !== undefined) return startPostgres();
  const remedy = "set DATABASE_URL, start one on 127.0.0.1:5432 or install postgresql";
  if (process.env.CI === "true") throw new Error(`No PostgreSQL: ${remedy}.`);
  console.warn(`No PostgreSQL: ${remedy}. Its tests are skipped.`);
  return undefined;
}

/** Whether tests can start a PostgreSQL. With CI=true it throws if they cannot. */
export function canStartPostgres(): boolean {
  return isInstalled("PostgreSQL", binaries() !== undefined);
}

/** Whether tests can start a PostgreSQL and a standby of it. With CI=true it throws if they cannot. */
export function canStartStandby(): boolean {
  const bin = binaries();
  const tools = ["pg_basebackup", "pg_ctl"];
  return isInstalled(
    "PostgreSQL with pg_basebackup",
    bin !== undefined && tools.every((tool) => existsSync(join(bin, tool))),
  );
}

function isInstalled(what: string, isThere: boolean): boolean {
  if (isThere) return true;
  if (process.env.CI === "true") throw new Error(`${what} is not installed.`);
  console.warn(`${what} is not installed: the tests that start one of their own are skipped.`);
  return false;
}

/** Starts a PostgreSQL in an empty directory, on a free port, without a password. */
export async function startPostgres(...settings: string[]): Promise<PrivatePostgres> {
  const directory = ownDirectory();
  await runTool("initdb", directory, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8");
  return serverIn(directory, settings);
}

/** Starts a hot standby of a PostgreSQL, and waits until it follows. The settings of its primary do not apply to it. */
export async function startStandby({ url, port }: PrivatePostgres): Promise<StandbyPostgres> {
  const directory = ownDirectory();
  const from = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres"];
  await runTool("pg_basebackup", directory, "-R", "-c", "fast", "--no-sync", ...from);
  const server = await serverIn(directory, []);
  const following = "SELECT 1 FROM pg_stat_replication WHERE application_name = 'walreceiver' AND state = 'streaming'";
  while ((await runOnce(url, following)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  return { ...server, promote: () => runTool("pg_ctl", directory, "promote") };
}

/** Starts a PostgreSQL on the files in a directory, on a free port. */
async function serverIn(directory: string, settings: readonly string[]): Promise<PrivatePostgres> {
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const options = ["listen_addresses=127.0.0.1", `unix_socket_directories=${directory}`, ...settings].flatMap((one) => [
    "-c",
    one,
  ]);
  const launch = () =>
    launched(
      spawn(program("postgres"), ["-D", directory, "-p", String(port), ...options], {
        ...someoneElse(),
        cwd: directory,
        stdio: "ignore",
      }),
      url,
    );
  let server = await launch();
  return {
    url,
    port,
    async stop() {
      await end(server);
      rmSync(directory, { recursive: true, force: true });
    },
    kill: () => end(server),
    async crash() {
      signal(server, "SIGKILL");
      await exited(server);
      removeSharedMemory(directory);
    },
    async start() {
      await end(server);
      server = await launch();
    },
    freeze: () => signal(server, "SIGSTOP"),
    thaw: () => signal(server, "SIGCONT"),
  };
}

/** An empty directory of the user who runs PostgreSQL. */
function ownDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "bluum-postgres-"));
  const as = someoneElse();
  if (as) chownSync(directory, as.uid, as.gid);
  return directory;
}

/** Runs a program of PostgreSQL on a directory. */
async function runTool(name: string, directory: string, ...given: string[]): Promise<void> {
  await promisify(execFile)(program(name), ["-D", directory, ...given], { ...someoneElse(), cwd: directory });
}

function program(name: string): string {
  const bin = binaries();
  if (bin === undefined) throw new Error("PostgreSQL is not installed");
  return join(bin, name);
}

/** Creates a schema, by default with a unique name. */
export async function ownSchema(
  url: string,
  name = `bluum_test_${randomBytes(8).toString("hex")}`,
): Promise<OwnSchema> {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await runOnce(url, `CREATE SCHEMA ${quoted}`);
  return { name, drop: async () => void (await runOnce(url, `DROP SCHEMA ${quoted} CASCADE`)) };
}

/** Creates a database with a unique name, for what makes schemas of fixed names. */
export async function ownDatabase(url: string): Promise<OwnDatabase> {
  const name = `bluum_test_${randomBytes(8).toString("hex")}`;
  await runOnce(url, `CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = name;
  return { url: own.href, drop: async () => void (await runOnce(url, `DROP DATABASE ${name} WITH (FORCE)`)) };
}

async function runOnce(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

async function launched(server: ChildProcess, url: string): Promise<ChildProcess> {
  let ended = false;
  server.once("exit", () => {
    ended = true;
  });
  // It ends with the tests.
  const killer = () => server.kill("SIGQUIT");
  process.once("exit", killer);
  server.once("exit", () => process.off("exit", killer));
  while (!(await answers(url))) {
    if (ended) throw new Error("postgres ended before it answered");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return server;
}

/** SIGQUIT: its processes end at once without a clean shutdown, and the next start recovers. */
async function end(server: ChildProcess): Promise<void> {
  if (hasExited(server)) return;
  signal(server, "SIGCONT");
  server.kill("SIGQUIT");
  await exited(server);
}

async function exited(server: ChildProcess): Promise<void> {
  if (!hasExited(server)) await once(server, "exit");
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** SIGKILL leaves a segment behind. Its key and its id are the seventh line of the server's lock file. */
function removeSharedMemory(directory: string): void {
  const line = readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n")[6] ?? "";
  const [, id] = line.trim().split(/\s+/);
  if (id !== undefined) spawnSync("ipcrm", ["-m", id]);
}

/** Sends a signal to the server and to each of its connection processes, which have their own sessions. */
function signal(server: ChildProcess, name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(server.pid)], { encoding: "utf8" });
  for (const pid of [server.pid, ...stdout.split("\n").map(Number)]) {
    if (!pid) continue;
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The newest that Debian's packages have installed, else what is on the PATH. */
function binaries(): string | undefined {
  const versions = existsSync(BINARIES) ? readdirSync(BINARIES) : [];
  const newest = versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(BINARIES, version, "bin"));
  const onPath = (process.env.PATH ?? "").split(":");
  return [...newest, ...onPath].find((bin) => existsSync(join(bin, "initdb")) && existsSync(join(bin, "postgres")));
}

/** PostgreSQL refuses to run as root. */
function someoneElse(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ask = (flag: string, name: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  const name = spawnSync("id", ["postgres"]).status === 0 ? "postgres" : "nobody";
  return { uid: ask("-u", name), gid: ask("-g", name) };
}
