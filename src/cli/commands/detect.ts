import { Command } from "commander";
import { readCaptures } from "../detect/read-captures.ts";
import { printDetection } from "../detect/report/print.ts";
import { type Detection, detectScheme } from "../detect.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { collect } from "../option-parsers.ts";
import { outputOf } from "../output.ts";
import { type SecretOptions, secretsOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { urlParser } from "../url.ts";

interface DetectOptions extends SecretOptions {
  readonly url?: readonly string[];
}

/** `detect`: finds out how captured deliveries are signed and prints the `scheme:` line. */
export function detectCommand(terminal: Terminal): Command {
  const command = new Command("detect")
    .summary("find out how captured deliveries are signed and print the scheme: line")
    .description(
      "Finds the header, algorithm, encoding, prefix, secret decoding and signed content that match captured deliveries, and prints the scheme: line to paste into createReceiver. It also reports which field may be the event's id. Nothing is guessed: without a match it prints the probable reason and no scheme.",
    )
    .argument("<capture...>", "files or folders with captures of listen --save, raw HTTP requests, or HAR")
    .option(
      "--url <url>",
      "the URL that the provider calls, in case the URL is signed; may be given several times",
      collectUrl,
    );
  return withSecretOptions(command)
    .addHelpText("after", HELP)
    .action(async (paths: string[], options: DetectOptions) => {
      const output = outputOf(command, terminal);
      const secrets = await secretsOf(options, terminal, output);
      const detection = detectScheme(await readCaptures(paths), secrets, { urls: options.url ?? [] });
      if (output.json) output.record(detection);
      else printDetection(detection, output);
      if (detection.verdict !== "one") throw undecided(detection);
    });
}

/** Checks a URL and keeps its exact text, which may be signed. */
function collectUrl(text: string, earlier?: readonly string[]): string[] {
  urlParser("--url")(text);
  return collect(text, earlier);
}

const HELP = `
The exit code is 0 if exactly one scheme matches, and 1 otherwise.

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
