import { PassThrough } from "node:stream";
import { run } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

/** What a test hands to commands in place of a process. */
export interface FakeTerminal extends Terminal {
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stdout: PassThrough & { isTTY?: boolean; columns?: number };
  readonly stderr: PassThrough & { isTTY?: boolean };
  readonly env: Record<string, string | undefined>;
  /** All that was written so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Ctrl-C. */
  interrupt(): void;
  /** Waits until what was written to stdout matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export const SECRET = "a secret of 16 bytes or more";

/** A terminal that is none: pipes, and the secret in the environment. */
export function fakeTerminal(env: Record<string, string | undefined> = { BLUUM_WEBHOOK_SECRET: SECRET }): FakeTerminal {
  const controller = new AbortController();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [kept(stdout), kept(stderr)];
  return {
    stdin,
    stdout,
    stderr,
    env,
    signal: controller.signal,
    out,
    err,
    interrupt: () => controller.abort(),
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(out());
        if (found !== null) return found;
        await new Promise((resolve) => stdout.once("data", resolve));
      }
    },
  };
}

function kept(stream: PassThrough): () => string {
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return () => text;
}

/** Runs one command line to its end. */
export async function ran(
  args: readonly string[],
  terminal: FakeTerminal = fakeTerminal(),
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const code = await run(args, terminal);
  // What was written is there a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, out: terminal.out(), err: terminal.err() };
}
