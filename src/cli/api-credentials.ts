import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Command } from "commander";
import { BluumApiError, type BluumApiErrorCode, type BluumClient, createBluumClient } from "../client/index.ts";
import { CommandFailed, EXIT, type ExitCode } from "./exit.ts";
import { readStdin } from "./stdin.ts";
import type { Terminal } from "./terminal.ts";
import { secureUrlParser } from "./url.ts";

/** The options for the API's credentials and address, as commander parses them. */
export interface ApiOptions {
  readonly baseUrl?: string;
  readonly credentialsFile?: string;
  readonly credentialsStdin?: boolean;
}

const MAX_CHARACTERS = 64 * 1024;

/** Adds the options that {@link withClient} uses. */
export function withApiOptions(command: Command): Command {
  return command
    .option(
      "--base-url <url>",
      'the API\'s address: "sandbox", "production" or a URL (default: the variable BLUUM_BASE_URL)',
      (text) => parseBaseUrl("--base-url", text),
    )
    .option("--credentials-file <path>", "read the credentials from a file (default: the environment)")
    .option("--credentials-stdin", "read the credentials from standard input, in the format of such a file");
}

/** The help text about credentials. */
export const API_HELP: string = `The credentials of a tenant-wide API key are needed: the variables BLUUM_API_KEY and BLUUM_API_SECRET, or these lines in a file or on standard input:
  BLUUM_API_KEY=…
  BLUUM_API_SECRET=…
  BLUUM_BASE_URL=sandbox`;

/**
 * Calls a function with a client of the API.
 *
 * @throws CommandFailed if there are no credentials, or for an error of the API
 */
export async function withClient<T>(
  options: ApiOptions,
  terminal: Terminal,
  work: (client: BluumClient) => Promise<T>,
): Promise<T> {
  const env = await readEnvironment(options, terminal);
  if (options.baseUrl === undefined && env.BLUUM_BASE_URL) parseBaseUrl("BLUUM_BASE_URL", env.BLUUM_BASE_URL);
  try {
    return await work(createBluumClient({ env, baseUrl: options.baseUrl }));
  } catch (error) {
    if (error instanceof BluumApiError) throw failureOf(error);
    throw error;
  }
}

function parseBaseUrl(name: string, text: string): string {
  return text === "sandbox" || text === "production" ? text : secureUrlParser(name)(text).href;
}

/** The environment variables, with those of the file or standard input in their place. */
async function readEnvironment(options: ApiOptions, terminal: Terminal): Promise<Terminal["env"]> {
  const text = options.credentialsStdin
    ? await readStdin("--credentials-stdin", terminal, usage)
    : await readCredentialsFile(options.credentialsFile);
  const env = { ...terminal.env, ...parseEnv(text) };
  if (env.BLUUM_API_KEY && env.BLUUM_API_SECRET) return env;
  throw usage(
    "there are no credentials; set BLUUM_API_KEY and BLUUM_API_SECRET, or give --credentials-file or --credentials-stdin.",
  );
}

async function readCredentialsFile(path: string | undefined): Promise<string> {
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
  const details = [
    ...(bluumCode ? [`Bluum's code is ${bluumCode}`] : []),
    ...(requestId ? [`the request's id is ${requestId}`] : []),
  ];
  const sentences = [
    message,
    ...(details.length > 0 ? [`(${details.join(", ")})`] : []),
    ...(mayHaveHappened ? ["It may have succeeded nevertheless; check before you repeat it."] : []),
  ];
  return new CommandFailed(sentences.join(" "), EXIT_CODES[code] ?? EXIT.failed, { code, mayHaveHappened });
}
