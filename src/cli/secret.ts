import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { CommandFailed, EXIT } from "./exit.ts";
import { collect } from "./option-parsers.ts";
import type { Output } from "./output.ts";
import { readStdin } from "./stdin.ts";
import type { Terminal } from "./terminal.ts";

/** The options for secrets, as commander parses them. */
export interface SecretOptions {
  readonly secretFile?: readonly string[];
  readonly secretStdin?: boolean;
  readonly secret?: readonly string[];
}

const VARIABLE = "BLUUM_WEBHOOK_SECRET";
const MAX_CHARACTERS = 64 * 1024;

/** Adds the options that {@link secretsOf} uses. */
export function withSecretOptions(command: Command): Command {
  return command
    .option("--secret-file <path>", `read the secret from a file (default: the variable ${VARIABLE})`, collect)
    .option("--secret-stdin", "read the secret from standard input")
    .option("--secret <value>", "the secret; visible in process lists and the shell history", collect);
}

/**
 * The secrets of the options, or else of the variable BLUUM_WEBHOOK_SECRET. Files and standard input have one secret per line. No
 * message contains a secret.
 *
 * @throws CommandFailed `usage` if there is none, or its source cannot be read
 */
export async function secretsOf(options: SecretOptions, terminal: Terminal, output: Output): Promise<string[]> {
  if (options.secret !== undefined) {
    output.note(
      `--secret is visible to others in process lists; use ${VARIABLE}, --secret-file or --secret-stdin instead.`,
    );
  }
  const files = await Promise.all((options.secretFile ?? []).map(linesOfFile));
  const fromStdin = options.secretStdin ? await linesOfStdin(terminal) : [];
  const given = [...(options.secret ?? []), ...files.flat(), ...fromStdin];
  const secrets = given.length > 0 ? given : linesOf(terminal.env[VARIABLE] ?? "");
  if (secrets.length === 0) throw usage(`there is no secret; set ${VARIABLE}, or use --secret-file or --secret-stdin.`);
  return secrets;
}

/**
 * The only secret, for a command that signs.
 *
 * @throws CommandFailed `usage`
 */
export async function secretOf(options: SecretOptions, terminal: Terminal, output: Output): Promise<string> {
  return single(await secretsOf(options, terminal, output)) ?? "";
}

/**
 * The secret of the variable BLUUM_WEBHOOK_SECRET; `undefined` if it is not set.
 *
 * @throws CommandFailed `usage` if it contains several
 */
export function secretOfVariable({ env }: Terminal): string | undefined {
  return single(linesOf(env[VARIABLE] ?? ""));
}

function single([secret, ...others]: readonly string[]): string | undefined {
  if (others.length > 0) throw usage("this command takes one secret, but several are given.");
  return secret;
}

async function linesOfFile(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw usage(`--secret-file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, cause);
  }
  const lines = linesOf(text.slice(0, MAX_CHARACTERS));
  if (lines.length === 0) throw usage(`--secret-file ${path} is empty.`);
  return lines;
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

async function linesOfStdin(terminal: Terminal): Promise<string[]> {
  const lines = linesOf(await readStdin("--secret-stdin", terminal, usage));
  if (lines.length === 0) throw usage("--secret-stdin: standard input is empty.");
  return lines;
}

function usage(message: string, cause?: unknown): CommandFailed {
  return new CommandFailed(message, EXIT.usage, { code: "secret_unavailable", cause });
}
