import { PassThrough } from "node:stream";
import { run } from "../../src/cli/program.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

/** A terminal in memory, for commands in tests. */
export interface FakeTerminal extends Terminal {
  readonly stdin: PassThrough & { isTTY?: boolean };
  readonly stdout: PassThrough & { isTTY?: boolean; columns?: number };
  readonly stderr: PassThrough & { isTTY?: boolean };
  readonly env: Record<string, string | undefined>;
  /** The text written so far to stdout, and to stderr. */
  readonly out: () => string;
  readonly err: () => string;
  /** Presses Ctrl-C. */
  interrupt(): void;
  /** Waits until the text written to stdout matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export const SECRET = "a secret of 16 bytes or more";

/** Creates a terminal of pipes, with the secret in the environment. */
export function fakeTerminal(env: Record<string, string | undefined> = { BLUUM_WEBHOOK_SECRET: SECRET }): FakeTerminal {
  const controller = new AbortController();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [collect(stdout), collect(stderr)];
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

function collect(stream: PassThrough): () => string {
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  return () => text;
}

/** Runs one command line and returns its exit code and output. */
export async function ran(
  args: readonly string[],
  terminal: FakeTerminal = fakeTerminal(),
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const code = await run(args, terminal);
  // Streams deliver written text in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  return { code, out: terminal.out(), err: terminal.err() };
}
