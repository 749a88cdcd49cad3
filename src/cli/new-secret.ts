import { chmod, open, rm, stat, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Where the secret of a new endpoint is to go, as commander hands it on. */
export interface NewSecretOptions {
  readonly saveSecret?: string;
  readonly showSecret?: boolean;
}

/** A place for a secret that may be shown once only. */
export interface SecretPlace {
  /** The file, where it is one. */
  readonly file?: string;
  /** Puts the secret there, if one came. */
  keep(secret: string | undefined): Promise<void>;
}

/** Adds the options that {@link placeForSecret} reads. */
export function withNewSecretOptions(command: Command): Command {
  return command
    .option("--save-secret <path>", "write a new endpoint's secret to a file that only you can read")
    .option("--show-secret", "print a new endpoint's secret even where no terminal is, such as into a log");
}

/**
 * Finds out where the secret goes, before there is one: Bluum may not show it a second time, and a log is no place for it.
 *
 * @throws CommandFailed `usage` where no place is named and output is no terminal, or the file cannot be written
 */
export async function placeForSecret(options: NewSecretOptions, { stdout }: Terminal): Promise<SecretPlace> {
  if (options.saveSecret !== undefined) return await fileFor(options.saveSecret);
  if (options.showSecret || stdout.isTTY) return { keep: async () => {} };
  throw new CommandFailed(
    "output is no terminal, so say where a new endpoint's secret goes: --save-secret <path>, or --show-secret.",
    EXIT.usage,
  );
}

async function fileFor(file: string): Promise<SecretPlace> {
  try {
    await (await open(file, "a", 0o600)).close();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandFailed(`--save-secret ${file} cannot be written (${code}).`, EXIT.usage, { cause });
  }
  return {
    file,
    async keep(secret) {
      if (secret === undefined) return await removeEmpty(file);
      await chmod(file, 0o600);
      await writeFile(file, `${secret}\n`);
    },
  };
}

async function removeEmpty(file: string): Promise<void> {
  const { size, isFile } = await stat(file).then((stats) => ({ size: stats.size, isFile: stats.isFile() }));
  if (isFile && size === 0) await rm(file);
}
