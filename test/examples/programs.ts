import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { ROOT } from "../docs/markdown.ts";

/** How a program ended, and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** An example that is running. */
export interface RunningExample {
  readonly url: string;
  /** Asks it to end, by its id, as a platform would, and waits until it has. */
  stop(): Promise<Ended>;
}

/** Runs a program from the root to its end, where its output is no terminal. */
export function run(program: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program], { cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

/**
 * Starts an example as its user would: in a folder of its own, where the package is installed by its name. Gives what it
 * takes to drive it once it says that it listens.
 */
export async function startExample(name: string, env: Record<string, string>): Promise<RunningExample> {
  const folder = installed(name);
  const child = spawn(process.execPath, ["app.mjs"], { cwd: folder, env: { ...process.env, ...env, PORT: "0" } });
  let output = "";
  const port = new Promise<string>((resolve, reject) => {
    const read = (text: Buffer) => {
      output += text;
      const [, said] = /listening on (\d+)\n/.exec(output) ?? [];
      if (said !== undefined) resolve(said);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", () => reject(new Error(`the example ${name} ended before it listened:\n${output}`)));
  });
  const closed = once(child, "close").finally(() => rmSync(folder, { recursive: true, force: true }));
  return {
    url: `http://127.0.0.1:${await port}`,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await closed;
      return { code, output };
    },
  };
}

/** A copy of the example with the package beside it; the frameworks are found in the root's node_modules. */
function installed(name: string): string {
  const folder = `${ROOT}.tmp/example-${name}-${process.pid}`;
  mkdirSync(`${folder}/node_modules`, { recursive: true });
  cpSync(`${ROOT}examples/${name}`, folder, { recursive: true });
  symlinkSync(ROOT, `${folder}/node_modules/bluum-webhooks`, "dir");
  return folder;
}
