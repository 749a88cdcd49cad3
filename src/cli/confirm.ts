import { createInterface } from "node:readline";
import type { Terminal } from "./terminal.ts";

/** Whether a person can be asked: the input is a terminal, and the question is seen. */
export function canAsk({ stdin, stderr }: Terminal): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Asks a question on the terminal. Only `y` and `yes` are a yes; the end of the input and Ctrl-C are a no. */
export async function isConfirmed(question: string, { stdin, stderr, signal }: Terminal): Promise<boolean> {
  if (signal.aborted) return false;
  stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: stdin, signal });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
