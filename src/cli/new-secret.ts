import { access, chmod, constants, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "commander";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** The options for the secret of a new endpoint, as commander parses them. */
export interface NewSecretOptions {
  readonly saveSecret?: string;
  readonly showSecret?: boolean;
}

/** The destination of a secret that Bluum may show only once. */
export interface SecretDestination {
  /** Saves the secret, if there is one. Never overwrites another secret. Never rejects: the secret would be lost. */
  save(secret: string | undefined): Promise<SavedSecret>;
}

/** The result of saving a secret. */
export interface SavedSecret {
  /** The file with the secret; without one the secret must be printed. */
  readonly file?: string;
  /** The error, if the file could not be written. */
  readonly failure?: CommandFailed;
}

/** Adds the options that {@link secretDestination} uses. */
export function withNewSecretOptions(command: Command): Command {
  return command
    .option(
      "--save-secret <path>",
      "write a new endpoint's secret to a file that only you can read. A file that is not empty is never overwritten: create refuses it, ensure writes to <path>.new",
    )
    .option("--show-secret", "print a new endpoint's secret even without a terminal, for example to a log");
}

/**
 * Checks the destination before the secret exists: Bluum may not show it a second time, and it must not be printed to a log.
 *
 * @param ifNotEmpty with `refuse`, a file that is not empty is refused; with `write_beside`, a new file beside it is written if a
 *   secret is saved at all
 * @throws CommandFailed `usage` without a destination, or if the file is refused or cannot be written
 */
export async function secretDestination(
  options: NewSecretOptions,
  { stdout }: Terminal,
  ifNotEmpty: "refuse" | "write_beside",
): Promise<SecretDestination> {
  const { saveSecret: file } = options;
  if (file !== undefined) {
    await checkFile(file, ifNotEmpty);
    return { save: async (secret) => (secret === undefined ? {} : await saveIn(file, secret)) };
  }
  if (options.showSecret || stdout.isTTY) return { save: async () => ({}) };
  throw new CommandFailed(
    "output is not a terminal; give a destination for a new endpoint's secret: --save-secret <path>, or --show-secret.",
    EXIT.usage,
  );
}

async function checkFile(file: string, ifNotEmpty: "refuse" | "write_beside"): Promise<void> {
  const unusable = (problem: string) => new CommandFailed(`--save-secret ${file} ${problem}.`, EXIT.usage);
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() === false) throw unusable("is not a regular file");
  const isNotEmpty = stats !== undefined && stats.size > 0;
  if (isNotEmpty && ifNotEmpty === "refuse")
    throw unusable("is not empty and is never overwritten; choose another file");
  try {
    if (stats === undefined) await tryToCreate(file);
    else await access(isNotEmpty ? dirname(file) : file, constants.W_OK);
  } catch (cause) {
    throw unusable(`cannot be written (${(cause as NodeJS.ErrnoException).code})`);
  }
}

async function tryToCreate(file: string): Promise<void> {
  await writeFile(file, "", { flag: "wx", mode: 0o600 });
  await rm(file);
}

async function saveIn(file: string, secret: string): Promise<SavedSecret> {
  try {
    return { file: await write(file, secret) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `the endpoint was created, but its secret could not be written to ${file} (${code}); it is printed above. Keep it: Bluum may not show it again.`;
    return { failure: new CommandFailed(message, EXIT.failed, { code: "secret_not_saved", mayHaveHappened: true }) };
  }
}

const MAX_NEW_FILES = 100;

/** Writes to a missing or empty file, or else to a new file beside it. Returns the path. */
async function write(file: string, secret: string): Promise<string> {
  const text = `${secret}\n`;
  if ((await stat(file).catch(() => undefined))?.size === 0) {
    await chmod(file, 0o600);
    await writeFile(file, text);
    return file;
  }
  for (let n = 0; ; n++) {
    const path = n === 0 ? file : `${file}.new${n === 1 ? "" : n}`;
    try {
      await writeFile(path, text, { flag: "wx", mode: 0o600 });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || n >= MAX_NEW_FILES) throw error;
    }
  }
}
