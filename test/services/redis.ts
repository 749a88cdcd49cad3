import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

/** A Redis that tests share with others. */
export interface RedisService {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Stops it if these tests have started it. */
  stop(): Promise<void>;
}

/** A Redis for one test file. */
export interface PrivateRedis extends RedisService {
  /** Kills it, as a crash does, and waits for its end. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same files. */
  restart(): Promise<void>;
  /** Suspends it: connections stay open, and no command is answered. */
  freeze(): void;
  thaw(): void;
}

/**
 * The Redis for tests: that of REDIS_URL, else one on 127.0.0.1:6379, else one started here. Without one its tests are
 * skipped with a warning; with CI=true they fail.
 */
export async function findRedis(): Promise<RedisService | undefined> {
  const url = process.env.REDIS_URL;
  if (url) return serviceAt(url);
  if (await answers(6379)) return serviceAt("redis://127.0.0.1:6379");
  return startRedisOrSkip();
}

/** Starts a Redis with these arguments; by default it writes nothing to disk. */
export function startRedis(...args: string[]): Promise<PrivateRedis> {
  return start(async (port, directory) => [...settings(port, directory), "--save", "", ...args]);
}

/** A sentinel that watches one primary, which it calls "primary". */
export function startSentinel(primary: RedisService): Promise<PrivateRedis> {
  return start(async (port, directory) => {
    // A sentinel needs a configuration file that it can write.
    const file = join(directory, "sentinel.conf");
    await writeFile(file, `sentinel monitor primary ${primary.host} ${primary.port} 1\n`);
    return [file, "--sentinel", ...settings(port, directory)];
  });
}

/** Whether tests can start a Redis. With CI=true it throws if they cannot. */
export async function canStartRedis(): Promise<boolean> {
  try {
    await (await startRedis()).stop();
    return true;
  } catch (error) {
    if (process.env.CI === "true") throw error;
    console.warn("No redis-server is installed: the tests that need a Redis of their own are skipped.");
    return false;
  }
}

function settings(port: number, directory: string): string[] {
  return ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
}

async function start(argsFor: (port: number, directory: string) => Promise<string[]>): Promise<PrivateRedis> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "bluum-redis-"));
  const args = await argsFor(port, directory);
  const discard = () => rm(directory, { recursive: true, force: true });
  let server = await launch(args, port).catch(async (error: unknown) => {
    await discard();
    throw error;
  });
  return {
    host: "127.0.0.1",
    port,
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      await kill(server);
      await discard();
    },
    kill: () => kill(server),
    async restart() {
      await kill(server);
      server = await launch(args, port);
    },
    freeze: () => void server.kill("SIGSTOP"),
    thaw: () => void server.kill("SIGCONT"),
  };
}

function serviceAt(url: string): RedisService {
  const { hostname, port } = new URL(url);
  return { url, host: hostname, port: Number(port || 6379), async stop() {} };
}

async function startRedisOrSkip(): Promise<RedisService | undefined> {
  try {
    return await startRedis();
  } catch (error) {
    if (process.env.CI === "true") throw error;
    console.warn(
      "No Redis: set REDIS_URL, start one on 127.0.0.1:6379 or install redis-server. Its tests are skipped.",
    );
    return undefined;
  }
}

async function launch(args: readonly string[], port: number): Promise<ChildProcess> {
  const server = spawn("redis-server", args, { stdio: "ignore" });
  const failed = once(server, "exit").then(([code]) => {
    throw new Error(`redis-server ended with ${code}`);
  });
  // It ends with the tests.
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  server.once("exit", () => process.off("exit", end));
  await Promise.race([once(server, "spawn").then(() => untilAnswering(server, port)), failed]);
  failed.catch(() => {});
  return server;
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, "exit");
  server.kill("SIGKILL");
  await gone;
}

async function untilAnswering(server: ChildProcess, port: number): Promise<void> {
  while (server.exitCode === null && !(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Whether a Redis is ready on this port; one with a password counts. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once("data", (bytes) => {
      resolve(/^(\+PONG|-NOAUTH)/.test(bytes.toString()));
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(false));
  });
}
