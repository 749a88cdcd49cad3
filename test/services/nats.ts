import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

/** A NATS server with JetStream that tests share with others: each makes streams of its own. */
export interface NatsService {
  readonly port: number;
  readonly url: string;
  /** Stops it if these tests have started it. */
  stop(): Promise<void>;
}

/**
 * The NATS for tests: that of NATS_URL, else one on 127.0.0.1:4222, else one started here. Without one its tests are skipped with a
 * warning; with CI=true they fail.
 */
export async function findNats(): Promise<NatsService | undefined> {
  const url = process.env.NATS_URL;
  if (url) return { url, port: Number(new URL(url).port || 4222), async stop() {} };
  if (await answers(4222)) return { url: "nats://127.0.0.1:4222", port: 4222, async stop() {} };
  try {
    return await startNats();
  } catch (error) {
    if (process.env.CI === "true") throw error;
    console.warn("No NATS: set NATS_URL, start one on 127.0.0.1:4222 or install nats-server. Its tests are skipped.");
    return undefined;
  }
}

async function startNats(): Promise<NatsService> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "bluum-nats-"));
  const discard = () => rm(directory, { recursive: true, force: true });
  const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", directory];
  const server = await launch(args, port).catch(async (error: unknown) => {
    await discard();
    throw error;
  });
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    async stop() {
      const gone = once(server, "exit");
      if (server.exitCode === null && server.kill("SIGKILL")) await gone;
      await discard();
    },
  };
}

async function launch(args: readonly string[], port: number): Promise<ChildProcess> {
  const server = spawn("nats-server", args, { stdio: "ignore" });
  // It ends with the tests.
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  server.once("exit", () => process.off("exit", end));
  await once(server, "spawn");
  while (server.exitCode === null && !(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  if (server.exitCode !== null) throw new Error(`nats-server ended with ${server.exitCode}`);
  return server;
}

/** Whether a NATS with JetStream is ready on this port. It tells about itself before it is asked. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once("data", (bytes) => {
      resolve(/^INFO .*"jetstream":true/.test(bytes.toString()));
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(false));
  });
}
