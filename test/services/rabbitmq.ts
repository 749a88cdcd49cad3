import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

/** A RabbitMQ that tests share with others: each makes queues of its own. */
export interface RabbitmqService {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Stops it if these tests have started it. */
  stop(): Promise<void>;
}

const BINARY = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/**
 * The RabbitMQ for tests: that of RABBITMQ_URL, else one on 127.0.0.1:5672, else one started here, which takes some ten seconds.
 * Without one its tests are skipped with a warning; with CI=true they fail.
 */
export async function findRabbitmq(): Promise<RabbitmqService | undefined> {
  const url = process.env.RABBITMQ_URL;
  if (url) return serviceAt(url);
  if (await answers(5672)) return serviceAt("amqp://guest:guest@127.0.0.1:5672");
  try {
    return await startRabbitmq();
  } catch (error) {
    if (process.env.CI === "true") throw error;
    console.warn(
      "No RabbitMQ: set RABBITMQ_URL, start one on 127.0.0.1:5672 or install rabbitmq-server. Its tests are skipped.",
    );
    return undefined;
  }
}

function serviceAt(url: string): RabbitmqService {
  const { hostname, port } = new URL(url);
  return { url, host: hostname, port: Number(port || 5672), async stop() {} };
}

/** Starts a RabbitMQ in an empty directory, on a free port. */
async function startRabbitmq(): Promise<RabbitmqService> {
  const [port, directory] = [await freePort(), await mkdtemp(join(tmpdir(), "bluum-rabbitmq-"))];
  const env = {
    ...{ PATH: process.env.PATH, HOME: directory, RABBITMQ_NODENAME: `bluum-${port}@localhost` },
    ...{ RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1", RABBITMQ_NODE_PORT: String(port) },
    RABBITMQ_DIST_PORT: String(await freePort()),
    ...{ RABBITMQ_MNESIA_BASE: join(directory, "mnesia"), RABBITMQ_LOG_BASE: join(directory, "log") },
    ...{ RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "plugins"), RABBITMQ_CONFIG_FILE: join(directory, "config") },
    RABBITMQ_PID_FILE: join(directory, "pid"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-setcookie bluum",
  };
  // A group of its own: the server runs below a shell.
  const server = spawn(BINARY, { env, stdio: "ignore", detached: true });
  const kill = () => {
    if (server.exitCode === null && server.signalCode === null && server.pid) process.kill(-server.pid, "SIGKILL");
  };
  // It ends with the tests.
  process.once("exit", kill);
  server.once("exit", () => process.off("exit", kill));
  const gone = once(server, "exit");
  const stop = async () => {
    kill();
    await gone;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await once(server, "spawn");
    while (server.exitCode === null && !(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 100));
    if (server.exitCode !== null) throw new Error(`rabbitmq-server ended with ${server.exitCode}`);
  } catch (error) {
    if (server.pid) await stop();
    else await rm(directory, { recursive: true, force: true });
    throw error;
  }
  return { ...serviceAt(`amqp://guest:guest@127.0.0.1:${port}`), stop };
}

/** Whether a RabbitMQ is ready on this port: it starts the handshake. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("AMQP\u0000\u0000\u0009\u0001"));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once("data", (bytes) => {
      resolve(bytes.includes("capabilities"));
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(false));
  });
}
