import type { Command } from "commander";
import picocolors from "picocolors";
import { jsonLine } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./wrap.ts";

/** Functions that colour a text, or leave it where there are no colours. */
type Colors = ReturnType<typeof picocolors.createColors>;

/** How one command speaks: to people, or with `--json` to programs. */
export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** For what goes to stdout. */
  readonly colors: Colors;
  /** How wide the terminal is; `undefined` where there is none. */
  readonly columns: number | undefined;
  /** Writes a line to stdout. */
  line(text: string): void;
  /** Writes sentences to stdout, on a terminal wrapped at words. */
  prose(text: string, indent?: number, shade?: (line: string) => string): void;
  /** Writes an object to stdout, as one line of JSON. */
  record(value: object): void;
  /** Writes what is beside the matter, such as a warning, to stderr: with `--json` as `{ "note": … }`. */
  note(text: string): void;
}

/** The output of a command, by the global options that it was given. */
export function outputOf(command: Command, { stdout, stderr, env }: Terminal): Output {
  const { json = false, color = true } = command.optsWithGlobals<{ json?: boolean; color?: boolean }>();
  const columns = stdout.isTTY ? stdout.columns : undefined;
  const line = (text: string) => void stdout.write(`${text}\n`);
  return {
    json,
    colors: picocolors.createColors(!json && wantsColors(stdout, env, color)),
    columns,
    line,
    prose(text, indent = 0, shade = (one) => one) {
      const lines = columns === undefined ? [text] : wrapWords(text, Math.max(1, columns - indent));
      for (const one of lines) line(" ".repeat(indent) + shade(one));
    },
    record: (value) => void stdout.write(`${jsonLine(value)}\n`),
    note: (text) => void stderr.write(`${json ? jsonLine({ note: text }) : text}\n`),
  };
}

/**
 * Whether to colour what goes to a stream. `--no-color` and NO_COLOR (https://no-color.org) forbid it, FORCE_COLOR asks for it
 * even where no terminal is.
 */
function wantsColors({ isTTY }: Terminal["stdout"], env: Terminal["env"], option: boolean): boolean {
  if (!option || env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return isTTY === true && env.TERM !== "dumb";
}
