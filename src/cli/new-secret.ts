import { access, chmod, constants, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
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
  /** Puts the secret there, if one came. Never writes over another secret. Never rejects: the secret would be lost. */
  keep(secret: string | undefined): Promise<KeptSecret>;
}

/** Where a secret was put. */
export interface KeptSecret {
  /** The file that holds it; without one it must be printed. */
  readonly file?: string;
  /** Why the file that was named does not hold it. */
  readonly failure?: CommandFailed;
}

/** Adds the options that {@link placeForSecret} reads. */
export function withNewSecretOptions(command: Command): Command {
  return command
    .option(
      "--save-secret <path>",
      "write a new endpoint's secret to a file that only you can read, never over another: create refuses such a file, ensure writes to <path>.new",
    )
    .option("--show-secret", "print a new endpoint's secret even where no terminal is, such as into a log");
}

/**
 * Finds out where the secret goes, before there is one: Bluum may not show it a second time, and a log is no place for it.
 *
 * @param held what a file is met with that holds something: refused, since its secret would be lost; or left as it is, since
 *   probably nothing will be created, and a fresh file beside it taken where something is
 * @throws CommandFailed `usage` where no place is named and output is no terminal, or the file cannot be written or is refused
 */
export async function placeForSecret(
  options: NewSecretOptions,
  { stdout }: Terminal,
  held: "refused" | "left",
): Promise<SecretPlace> {
  const { saveSecret: file } = options;
  if (file !== undefined) {
    await checkFile(file, held);
    return { keep: async (secret) => (secret === undefined ? {} : await keepIn(file, secret)) };
  }
  if (options.showSecret || stdout.isTTY) return { keep: async () => ({}) };
  throw new CommandFailed(
    "output is no terminal, so say where a new endpoint's secret goes: --save-secret <path>, or --show-secret.",
    EXIT.usage,
  );
}

async function checkFile(file: string, held: "refused" | "left"): Promise<void> {
  const unusable = (why: string) => new CommandFailed(`--save-secret ${file} ${why}.`, EXIT.usage);
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() === false) throw unusable("is no regular file");
  const isHeld = stats !== undefined && stats.size > 0;
  if (isHeld && held === "refused") throw unusable("is not empty, and is not written over; name another file");
  try {
    if (stats === undefined) await tryToCreate(file);
    // The secret would go beside it.
    else if (isHeld) await access(dirname(file), constants.W_OK);
    else await access(file, constants.W_OK);
  } catch (cause) {
    throw unusable(`cannot be written (${(cause as NodeJS.ErrnoException).code})`);
  }
}

async function tryToCreate(file: string): Promise<void> {
  await writeFile(file, "", { flag: "wx", mode: 0o600 });
  await rm(file);
}

async function keepIn(file: string, secret: string): Promise<KeptSecret> {
  try {
    return { file: await write(file, secret) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `the endpoint was created, but its secret could not be written to ${file} (${code}); it is printed above. Keep it: Bluum may not show it again.`;
    return { failure: new CommandFailed(message, EXIT.failed, { code: "secret_not_saved", mayHaveHappened: true }) };
  }
}

const MOST_NEW_FILES = 100;

/** Writes to a file that is empty or missing; where it is neither, to a fresh one beside it. */
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
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || n >= MOST_NEW_FILES) throw error;
    }
  }
}
