import { Command } from "commander";
import { type MountCause, MountError, type MountReport, verifyMount } from "../../testing/index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { wholeNumber } from "../number.ts";
import { type Output, outputOf } from "../output.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { urlReader } from "../url.ts";

interface VerifyOptions extends SecretOptions {
  readonly scheme: SchemeChoice;
  readonly header?: [string, string][];
  readonly bodyBytes: number;
  readonly timeoutMs: number;
}

/** `verify`: the self-check of a mounted receiver, with what is wrong and what to change. */
export function verifyCommand(terminal: Terminal): Command {
  const command = new Command("verify")
    .summary("check a mounted receiver, and say what is wrong and what to change")
    .description(
      "Sends signed pings through all that stands before a receiver. Where the answer is not a receiver's it asks further, finds out why, and says what to change. No ping reaches your handlers or the store, so it can be run against a deployment that works.",
    )
    .argument("<url>", "where the receiver is mounted, such as https://example.com/webhooks/bluum", urlReader("<url>"))
    .option(
      "--header <header>",
      'sent with every request, as in "x-preview-access: token"; may be given several times',
      header,
    )
    .option("--body-bytes <n>", "the size of a body that must get through", wholeNumber(0, 16 * 1024 * 1024), 65_536)
    .option("--timeout-ms <ms>", "how long the whole check may take", wholeNumber(1, 600_000), 10_000);
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
    tellSound(
      await verifyMount(url, { secret, scheme: schemeOf(scheme), headers, bodyBytes, timeoutMs, signal }),
      output,
    );
  } catch (error) {
    if (error instanceof MountError) throw broken(error, output);
    throw error;
  }
}

function tellSound(report: MountReport, output: Output): void {
  if (output.json) {
    output.record({ sound: true, ...report });
    return;
  }
  const { green, bold } = output.colors;
  output.line(`${green("sound")}  ${bold(report.where)}`);
  output.line(`  a signed ping was answered in ${Math.round(report.roundTripMs)} ms`);
  output.line(`  a body of ${report.bodyBytes} bytes got through`);
  output.line("  neither an unsigned request nor the signature of another body was acknowledged");
  if (report.clockSkewMs !== undefined && Math.abs(report.clockSkewMs) > 2_000)
    output.line(`  its clock differs from this machine's by about ${Math.round(report.clockSkewMs / 1000)} s`);
}

/** Of these, nobody was there to be checked. */
const UNREACHED: readonly MountCause[] = ["no_connection", "tls_failed", "timed_out"];

function broken({ findings, message }: MountError, output: Output): CommandFailed {
  if (output.json) output.record({ sound: false, findings });
  else
    for (const { cause, message, remedy } of findings)
      output.line(`${output.colors.red(cause)}\n  ${message}\n  ${remedy}`);
  const unreached = findings.every(({ cause }) => UNREACHED.includes(cause));
  const [summary = ""] = message.split("\n");
  return new CommandFailed(summary, unreached ? EXIT.unreachable : EXIT.failed, { code: "mount_broken" });
}

function header(text: string, earlier: [string, string][] = []): [string, string][] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): *(.*)$/.exec(text) ?? [];
  // Not as commander would say it, with the value: that may be a token.
  if (name === undefined || value === undefined)
    throw new CommandFailed('write --header as "name: value".', EXIT.usage);
  return [...earlier, [name, value]];
}
