import process from "node:process";
import type { Readable, Writable } from "node:stream";

/** The streams, environment and signals of a command. Tests pass their own. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at Ctrl-C and SIGTERM, and with the reason {@link OUTPUT_CLOSED} if the reader of stdout closes it. */
  readonly signal: AbortSignal;
}

/** The abort reason when the reader of stdout closes it, as `head` does. */
export const OUTPUT_CLOSED: unique symbol = Symbol("the output is closed");

/** The terminal of this process. A second Ctrl-C kills the process. */
export function processTerminal(): Terminal {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const { stdin, stdout, stderr, env } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    controller.abort(OUTPUT_CLOSED);
  });
  // A closed stderr leaves nowhere to report an error.
  stderr.on("error", () => {});
  return { stdin, stdout, stderr, env, signal: controller.signal };
}
