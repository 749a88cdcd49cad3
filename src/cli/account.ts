import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Command } from "commander";
import { BluumApiError, type BluumApiErrorCode, type BluumClient, createBluumClient } from "../client/index.ts";
import { CommandFailed, EXIT, type ExitCode } from "./exit.ts";
import { readPiped } from "./piped.ts";
import type { Terminal } from "./terminal.ts";
import { safeUrlReader } from "./url.ts";

/** Where the API's credentials and address come from, as commander hands it on. */
export interface AccountOptions {
  readonly baseUrl?: string;
  readonly credentialsFile?: string;
  readonly credentialsStdin?: boolean;
}

const MAX_CHARACTERS = 64 * 1024;

/** Adds the options that {@link withClient} reads. */
export function withAccountOptions(command: Command): Command {
  return command
    .option(
      "--base-url <url>",
      'where the API is: "sandbox", "production" or a URL (default: the variable BLUUM_BASE_URL)',
      (text) => baseUrl("--base-url", text),
    )
    .option("--credentials-file <path>", "read the credentials from a file (default: the environment)")
    .option("--credentials-stdin", "read the credentials from standard input, in the form of such a file");
}

/** What the help says of them. */
export const ACCOUNT_HELP: string = `Credentials are those of a tenant-wide API key: the variables BLUUM_API_KEY and BLUUM_API_SECRET, or such lines in a file or on standard input:
  BLUUM_API_KEY=…
  BLUUM_API_SECRET=…
  BLUUM_BASE_URL=sandbox`;

/**
 * Does something with a client of the API, and makes a command's failure of what that throws.
 *
 * @throws CommandFailed
 */
export async function withClient<T>(
  options: AccountOptions,
  terminal: Terminal,
  work: (client: BluumClient) => Promise<T>,
): Promise<T> {
  const env = await accountOf(options, terminal);
  if (options.baseUrl === undefined && env.BLUUM_BASE_URL) baseUrl("BLUUM_BASE_URL", env.BLUUM_BASE_URL);
  try {
    return await work(createBluumClient({ env, baseUrl: options.baseUrl }));
  } catch (error) {
    if (error instanceof BluumApiError) throw failureOf(error);
    throw error;
  }
}

function baseUrl(name: string, text: string): string {
  return text === "sandbox" || text === "production" ? text : safeUrlReader(name)(text).href;
}

/** The variables with the account: those of the file or standard input before those of the environment. */
async function accountOf(options: AccountOptions, terminal: Terminal): Promise<Terminal["env"]> {
  const text = options.credentialsStdin
    ? await readPiped("--credentials-stdin", terminal, usage)
    : await readGiven(options.credentialsFile);
  const account = { ...terminal.env, ...parseEnv(text) };
  if (account.BLUUM_API_KEY && account.BLUUM_API_SECRET) return account;
  throw usage(
    "there are no credentials; set BLUUM_API_KEY and BLUUM_API_SECRET, or give --credentials-file or --credentials-stdin.",
  );
}

async function readGiven(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  try {
    return (await readFile(path, "utf8")).slice(0, MAX_CHARACTERS);
  } catch (cause) {
    throw usage(`--credentials-file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`);
  }
}

function usage(message: string): CommandFailed {
  return new CommandFailed(message, EXIT.usage, { code: "credentials_unavailable" });
}

const EXIT_CODES: Partial<Readonly<Record<BluumApiErrorCode, ExitCode>>> = {
  configuration_invalid: EXIT.usage,
  network: EXIT.unreachable,
  timeout: EXIT.unreachable,
};

function failureOf({ code, message, bluumCode, requestId, mayHaveHappened }: BluumApiError): CommandFailed {
  const about = [bluumCode && `Bluum's code is ${bluumCode}`, requestId && `the request's id is ${requestId}`].filter(
    Boolean,
  );
  const more = [
    ...(about.length > 0 ? [`(${about.join(", ")})`] : []),
    ...(mayHaveHappened ? ["It may have been done all the same; look before you repeat it."] : []),
  ];
  return new CommandFailed([message, ...more].join(" "), EXIT_CODES[code] ?? EXIT.failed, { code, mayHaveHappened });
}
