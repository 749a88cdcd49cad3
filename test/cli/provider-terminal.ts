import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { run } from "../../src/cli/program.ts";
import { API_KEY, API_SECRET } from "../client/bluum-server.ts";

/** The result of a command line. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a command. */
export interface CommandEnvironment {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Whether output is a terminal. */
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
}

/** The environment variables with the credentials of the server. */
export function credentials(server: { readonly url: string }): Record<string, string> {
  return { BLUUM_API_KEY: API_KEY, BLUUM_API_SECRET: API_SECRET, BLUUM_BASE_URL: server.url };
}

/** Runs one command line in this process, with a terminal in memory. */
export async function runCommand(
  args: readonly string[],
  environment: CommandEnvironment = {},
): Promise<CommandResult> {
  const { env = {}, stdin = "", isTTY = false, signal = new AbortController().signal } = environment;
  const stdout = collector(isTTY);
  const stderr = collector(isTTY);
  const exitCode = await run(args, { stdin: Readable.from([stdin]), stdout, stderr, env, signal });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Creates a folder that is removed after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "bluum-cli-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function collector(isTTY: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return Object.assign(stream, { isTTY, columns: 200, text: () => chunks.join("") });
}
