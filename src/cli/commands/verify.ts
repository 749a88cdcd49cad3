import { Command } from "commander";
import { type MountCause, MountError, type MountReport, verifyMount } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { wholeNumber } from "../option-parsers.ts";
import { type Output, outputOf } from "../output.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { urlParser } from "../url.ts";

interface VerifyOptions extends SecretOptions {
  readonly scheme: SchemeChoice;
  readonly header?: [string, string][];
  readonly bodyBytes: number;
  readonly timeoutMs: number;
}

/** `verify`: checks a mounted receiver and prints problems and remedies. */
export function verifyCommand(terminal: Terminal): Command {
  const command = new Command("verify")
    .summary("check a mounted receiver and print problems and remedies")
    .description(
      "Sends signed pings to a receiver through all proxies and middleware in front of it. If an answer is not a receiver's, it sends more requests to find the cause, and prints what to change. No ping reaches your handlers or the store, so it can be run against a production deployment.",
    )
    .argument("<url>", "the URL of the receiver, such as https://example.com/webhooks/bluum", urlParser("<url>"))
    .option(
      "--header <header>",
      'a header for every request, as in "x-preview-access: token"; may be given several times',
      collectHeader,
    )
    .option("--body-bytes <n>", "the size of a body that must be accepted", wholeNumber(0, 16 * 1024 * 1024), 65_536)
    .option("--timeout-ms <ms>", "the time limit for the whole check", wholeNumber(1, 600_000), 10_000);
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", HELP)
    .action((url: URL, options: VerifyOptions) => verify(url, options, terminal, outputOf(command, terminal)));
}

const HELP = `
${SCHEME_HELP}

Examples:
  $ export APP=https://example.com/webhooks/bluum
  $ bluum-webhooks verify $APP
  $ bluum-webhooks verify $APP --secret-file secret.txt
  $ bluum-webhooks verify $APP --json | jq .findings`;

async function verify(url: URL, options: VerifyOptions, terminal: Terminal, output: Output): Promise<void> {
  const { header: headers = [], bodyBytes, timeoutMs, scheme } = options;
  const secret = await secretOf(options, terminal, output);
  try {
    const { signal } = terminal;
    printSound(
      await verifyMount(url, { secret, scheme: schemeOf(scheme), headers, bodyBytes, timeoutMs, signal }),
      output,
    );
  } catch (error) {
    if (error instanceof MountError) throw printBroken(error, output);
    throw error;
  }
}

function printSound(report: MountReport, output: Output): void {
  if (output.json) {
    output.record({ sound: true, ...report });
    return;
  }
  const { green, bold } = output.colors;
  output.line(`${green("sound")}  ${bold(report.where)}`);
  output.line(`  a signed ping was answered in ${Math.round(report.roundTripMs)} ms`);
  output.line(`  a body of ${report.bodyBytes} bytes was accepted`);
  output.line("  neither an unsigned request nor the signature of another body was acknowledged");
  if (report.clockSkewMs !== undefined && Math.abs(report.clockSkewMs) > 2_000)
    output.line(`  its clock differs from this machine's by about ${Math.round(report.clockSkewMs / 1000)} s`);
}

/** The causes with which there was nothing to check. */
const UNREACHED: readonly MountCause[] = ["no_connection", "tls_failed", "timed_out"];

/** Prints the findings and returns the error of the command. */
function printBroken({ findings, message }: MountError, output: Output): CommandFailed {
  if (output.json) output.record({ sound: false, findings });
  else
    for (const { cause, message, remedy } of findings)
      output.line(`${output.colors.red(cause)}\n  ${message}\n  ${remedy}`);
  const unreached = findings.every(({ cause }) => UNREACHED.includes(cause));
  const [summary = ""] = message.split("\n");
  return new CommandFailed(summary, unreached ? EXIT.unreachable : EXIT.failed, { code: "mount_broken" });
}

function collectHeader(text: string, earlier: [string, string][] = []): [string, string][] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): *(.*)$/.exec(text) ?? [];
  // Not an InvalidArgumentError, since commander prints the value, which may be a token.
  if (name === undefined || value === undefined)
    throw new CommandFailed('write --header as "name: value".', EXIT.usage);
  return [...earlier, [name, value]];
}
