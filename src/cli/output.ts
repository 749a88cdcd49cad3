import type { Command } from "commander";
import picocolors from "picocolors";
import { jsonLine } from "./printable.ts";
import type { Terminal } from "./terminal.ts";
import { wrapWords } from "./wrap.ts";

/** Functions that colour text, or return it unchanged without colours. */
type Colors = ReturnType<typeof picocolors.createColors>;

/** The output of one command: text, or JSON with `--json`. */
export interface Output {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Colours for stdout. */
  readonly colors: Colors;
  /** The width of the terminal; `undefined` if stdout is not a terminal. */
  readonly columns: number | undefined;
  /** Writes a line to stdout. */
  line(text: string): void;
  /** Writes sentences to stdout; on a terminal they are wrapped at words. */
  prose(text: string, indent?: number, colored?: (line: string) => string): void;
  /** Writes an object to stdout, as one line of JSON. */
  record(value: object): void;
  /** Writes a note or a warning to stderr; with `--json` as `{ "note": … }`. */
  note(text: string): void;
}

/** Creates the output of a command from its global options. */
export function outputOf(command: Command, { stdout, stderr, env }: Terminal): Output {
  const { json = false, color = true } = command.optsWithGlobals<{ json?: boolean; color?: boolean }>();
  const columns = stdout.isTTY ? stdout.columns : undefined;
  const line = (text: string) => void stdout.write(`${text}\n`);
  return {
    json,
    colors: picocolors.createColors(!json && wantsColors(stdout, env, color)),
    columns,
    line,
    prose(text, indent = 0, colored = (one) => one) {
      const lines = columns === undefined ? [text] : wrapWords(text, Math.max(1, columns - indent));
      for (const one of lines) line(" ".repeat(indent) + colored(one));
    },
    record: (value) => void stdout.write(`${jsonLine(value)}\n`),
    note: (text) => void stderr.write(`${json ? jsonLine({ note: text }) : text}\n`),
  };
}

/**
 * Whether to colour the text of a stream. `--no-color` and NO_COLOR (https://no-color.org) turn colours off, FORCE_COLOR turns
 * them on without a terminal as well.
 */
function wantsColors({ isTTY }: Terminal["stdout"], env: Terminal["env"], option: boolean): boolean {
  if (!option || env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0";
  return isTTY === true && env.TERM !== "dumb";
}
