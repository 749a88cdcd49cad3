import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { ROOT } from "../docs/markdown.ts";

/** The exit code and the output of a program. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A running program. */
export interface Running {
  readonly child: ChildProcess;
  /** Waits until it has printed this, and returns the match. */
  says(words: RegExp): Promise<RegExpExecArray>;
  /** Asks it to exit, by its id, as a platform does, and waits for its end. */
  stop(): Promise<Ended>;
  /** Kills it as `kill -9` does, and waits for its end. */
  kill(): Promise<Ended>;
}

/** A running example that listens. */
export interface RunningExample extends Running {
  readonly url: string;
}

/** Runs a program of the root to its end, without a terminal. */
export function run(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env } };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

/** Starts a program of its folder. */
export function startProgram(
  folder: string,
  program: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, ...env } });
  const closed = once(child, "close");
  let output = "";
  let look = () => {};
  const read = (text: Buffer) => {
    output += text;
    look();
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);

  const end = (signal: NodeJS.Signals) => async (): Promise<Ended> => {
    child.kill(signal);
    await closed;
    return { code: child.exitCode, output };
  };
  return {
    child,
    stop: end("SIGTERM"),
    kill: end("SIGKILL"),
    says: (words) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = words.exec(output);
          if (match) resolve(match);
        };
        void closed.then(() => reject(new Error(`${program} ended before it said ${words}:\n${output}`)));
        look();
      }),
  };
}

/**
 * Starts an example as its user would: in a folder of its own, where the package is installed by its name. Gives what it
 * takes to drive it once it says that it listens.
 */
export async function startExample(name: string, env: NodeJS.ProcessEnv): Promise<RunningExample> {
  const folder = installed(name);
  const example = await startApp(folder, env);
  example.child.once("close", () => rmSync(folder, { recursive: true, force: true }));
  return example;
}

/** Starts the app of an example that is installed in a folder. */
export async function startApp(folder: string, env: NodeJS.ProcessEnv): Promise<RunningExample> {
  const program = startProgram(folder, "app.mjs", { ...env, PORT: "0" });
  const [, port] = await program.says(/listening on (\d+)\n/);
  return { ...program, url: `http://127.0.0.1:${port}` };
}

/**
 * A copy of the example with the package; the frameworks are found in the root's node_modules.
 *
 * @param suffix of the folder's name, where a test needs several copies
 */
export function installed(name: string, suffix = ""): string {
  const folder = `${ROOT}.tmp/example-${name}-${process.pid}${suffix}`;
  mkdirSync(`${folder}/node_modules`, { recursive: true });
  cpSync(`${ROOT}examples/${name}`, folder, {
    recursive: true,
    filter: (path) => !/\/(node_modules|\.env)$/.test(path),
  });
  symlinkSync(ROOT, `${folder}/node_modules/bluum-webhooks`, "dir");
  return folder;
}
