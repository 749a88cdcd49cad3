import { Command } from "commander";
import { readCaptures } from "../detect/read-captures.ts";
import { tell } from "../detect/tell.ts";
import { type Detection, detectScheme } from "../detect.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { outputOf } from "../output.ts";
import { collect } from "../repeatable.ts";
import { type SecretOptions, secretsOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { urlReader } from "../url.ts";

interface DetectOptions extends SecretOptions {
  readonly url?: readonly string[];
}

/** `detect`: finds out how captured deliveries are signed, and prints the `scheme:` line. */
export function detectCommand(terminal: Terminal): Command {
  const command = new Command("detect")
    .summary("find out how captured deliveries are signed, and print the scheme: line")
    .description(
      "Finds which header, algorithm, encoding, prefix, secret decoding and signed content match captured deliveries, and prints the scheme: line to paste into createReceiver. It says where the event's id seems to be, too. Nothing is guessed: without a match it says why, and prints no scheme.",
    )
    .argument("<capture...>", "files or folders: what listen --save keeps, raw HTTP requests, or HAR")
    .option(
      "--url <url>",
      "the URL that the provider calls, in case it is signed; may be given several times",
      collectUrl,
    );
  return withSecretOptions(command)
    .addHelpText("after", HELP)
    .action(async (paths: string[], options: DetectOptions) => {
      const output = outputOf(command, terminal);
      const secrets = await secretsOf(options, terminal, output);
      const detection = detectScheme(await readCaptures(paths), secrets, { urls: options.url ?? [] });
      if (output.json) output.record(detection);
      else tell(detection, output);
      if (detection.verdict !== "one") throw undecided(detection);
    });
}

/** As it was typed: it may be signed. */
function collectUrl(text: string, earlier?: readonly string[]): string[] {
  urlReader("--url")(text);
  return collect(text, earlier);
}

const HELP = `
It ends with 0 where exactly one scheme matches, and with 1 where none or more than one does.

Examples:
  $ bluum-webhooks listen --save captures
  $ bluum-webhooks detect captures
  $ bluum-webhooks detect request.http --secret-file secret.txt
  $ bluum-webhooks detect captures --json | jq -r '.findings[0].code'`;

function undecided({ verdict, findings }: Detection): CommandFailed {
  return verdict === "none"
    ? new CommandFailed("no scheme matches the captures.", EXIT.failed, { code: "scheme_not_found" })
    : new CommandFailed(`${findings.length} schemes match the captures.`, EXIT.failed, { code: "scheme_undecided" });
}
