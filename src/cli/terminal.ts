import process from "node:process";
import type { Readable, Writable } from "node:stream";

/** What a command may use of the process it runs in; tests hand in their own. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts at Ctrl-C and SIGTERM; with the reason {@link OUTPUT_CLOSED} where nobody reads the output any more. */
  readonly signal: AbortSignal;
}

/** Why a command is ended early when the reader of its output has left, as `head` does. */
export const OUTPUT_CLOSED: unique symbol = Symbol("the output is closed");

/** The terminal of this process. A second Ctrl-C ends the process at once. */
export function processTerminal(): Terminal {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const { stdin, stdout, stderr, env } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    controller.abort(OUTPUT_CLOSED);
  });
  // Where nobody reads the errors, there is nobody to tell.
  stderr.on("error", () => {});
  return { stdin, stdout, stderr, env, signal: controller.signal };
}
