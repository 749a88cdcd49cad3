import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { readPiped } from "./piped.ts";
import { collect } from "./repeatable.ts";
import type { Terminal } from "./terminal.ts";

/** Where a secret may come from, as commander hands it on. */
export interface SecretOptions {
  readonly secretFile?: readonly string[];
  readonly secretStdin?: boolean;
  readonly secret?: readonly string[];
}

const VARIABLE = "BLUUM_WEBHOOK_SECRET";
const MAX_CHARACTERS = 64 * 1024;

/** Adds the options that {@link secretsOf} reads. */
export function withSecretOptions(command: Command): Command {
  return command
    .option("--secret-file <path>", `read the secret from a file (default: the variable ${VARIABLE})`, collect)
    .option("--secret-stdin", "read the secret from standard input")
    .option("--secret <value>", "the secret itself; process lists and shell histories show it", collect);
}

/**
 * The secrets that the command was given; the variable BLUUM_WEBHOOK_SECRET where it was given none. A file, or standard input, holds one a line.
 * No message ever shows any of one.
 *
 * @throws CommandFailed `usage` where there is none, or its source cannot be read
 */
export async function secretsOf(options: SecretOptions, terminal: Terminal, output: Output): Promise<string[]> {
  if (options.secret !== undefined) {
    output.note(
      `--secret is visible to others in process lists; better is ${VARIABLE}, --secret-file or --secret-stdin.`,
    );
  }
  const files = await Promise.all((options.secretFile ?? []).map(linesOfFile));
  const piped = options.secretStdin ? await linesPiped(terminal) : [];
  const given = [...(options.secret ?? []), ...files.flat(), ...piped];
  const secrets = given.length > 0 ? given : linesOf(terminal.env[VARIABLE] ?? "");
  if (secrets.length === 0)
    throw usage(`there is no secret; set ${VARIABLE}, or give --secret-file or --secret-stdin.`);
  return secrets;
}

/**
 * The secret of a command that signs: exactly one.
 *
 * @throws CommandFailed `usage`
 */
export async function secretOf(options: SecretOptions, terminal: Terminal, output: Output): Promise<string> {
  return single(await secretsOf(options, terminal, output)) ?? "";
}

/**
 * The one secret of the variable BLUUM_WEBHOOK_SECRET; `undefined` where it is not set.
 *
 * @throws CommandFailed `usage` where it holds several
 */
export function secretOfVariable({ env }: Terminal): string | undefined {
  return single(linesOf(env[VARIABLE] ?? ""));
}

function single([secret, ...others]: readonly string[]): string | undefined {
  if (others.length > 0) throw usage("this command takes one secret, and was given several.");
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

async function linesPiped(terminal: Terminal): Promise<string[]> {
  const lines = linesOf(await readPiped("--secret-stdin", terminal, usage));
  if (lines.length === 0) throw usage("--secret-stdin was given nothing.");
  return lines;
}

function usage(message: string, cause?: unknown): CommandFailed {
  return new CommandFailed(message, EXIT.usage, { code: "secret_unavailable", cause });
}
