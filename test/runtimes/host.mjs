import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const START_TIMEOUT_MS = 60_000;

/**
 * Starts a host and waits until it listens.
 *
 * @returns {Promise<{ ports: Record<string, number>, stop(): Promise<void>, said(): string }>} its ports by the door that is mounted
 *   there; a function that stops it; and its standard error
 */
export async function startHost(binary, args, folder) {
  const child = spawn(binary, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  let timer;
  const failed = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not come to listen")), START_TIMEOUT_MS);
    child.once("error", reject);
    ended.then((code) => reject(new Error(`it ended with ${code} before it listened`)));
  });
  try {
    const ports = await Promise.race([portsFrom(child.stdout), failed]);
    return { ports, stop, said: () => said };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${said}`);
  } finally {
    clearTimeout(timer);
    failed.catch(() => {});
  }
}

/** Hosts print their ports; for workerd's hosts workerd prints them, in its own format. */
async function portsFrom(stdout) {
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    if (!line.startsWith("{")) continue;
    const { ports, event, port } = JSON.parse(line);
    if (ports !== undefined) return ports;
    if (event === "listen") return { fetch: port };
  }
  return new Promise(() => {});
}
