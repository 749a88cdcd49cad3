import { addAbortSignal } from "node:stream";
import type { Terminal } from "./terminal.ts";

const MAX_CHARACTERS = 64 * 1024;

/**
 * Reads standard input to its end, for an option such as `--secret-stdin`. Ctrl-C stops it.
 *
 * @param usage creates the error that is thrown if standard input is a terminal, or longer than 64 Ki characters
 */
export async function readStdin(
  option: string,
  { stdin, signal }: Terminal,
  usage: (message: string) => Error,
): Promise<string> {
  if (stdin.isTTY)
    throw usage(`${option} reads from a pipe, but standard input is a terminal, which would show the input.`);
  let text = "";
  stdin.setEncoding("utf8");
  for await (const chunk of addAbortSignal(signal, stdin)) {
    text += chunk;
    if (text.length > MAX_CHARACTERS) throw usage(`${option}: the input has more than ${MAX_CHARACTERS} characters.`);
  }
  return text;
}
