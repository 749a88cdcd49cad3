import { addAbortSignal } from "node:stream";
import type { Terminal } from "./terminal.ts";

const MAX_CHARACTERS = 64 * 1024;

/**
 * Reads all that is piped in, for an option such as `--secret-stdin`. Ctrl-C ends it.
 *
 * @param usage makes the error that is thrown where standard input is a terminal, or holds more than 64 Ki characters
 */
export async function readPiped(
  option: string,
  { stdin, signal }: Terminal,
  usage: (message: string) => Error,
): Promise<string> {
  if (stdin.isTTY)
    throw usage(`${option} reads from a pipe, and standard input is a terminal, which would show what is typed.`);
  let text = "";
  stdin.setEncoding("utf8");
  for await (const chunk of addAbortSignal(signal, stdin)) {
    text += chunk;
    if (text.length > MAX_CHARACTERS) throw usage(`${option} was given more than ${MAX_CHARACTERS} characters.`);
  }
  return text;
}
