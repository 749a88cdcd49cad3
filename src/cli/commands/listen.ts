import { once } from "node:events";
import { createServer } from "node:http";
import { Command } from "commander";
import { CommandFailed, EXIT } from "../exit.ts";
import { detection } from "../listen/detection.ts";
import { judgeBy } from "../listen/judge.ts";
import { taker } from "../listen/take.ts";
import { wholeNumber } from "../number.ts";
import { type Output, outputOf } from "../output.ts";
import { open, shut } from "../port.ts";
import { collect } from "../repeatable.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretsOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { refuseLoop, urlReader } from "../url.ts";

interface ListenOptions extends SecretOptions {
  readonly port: number;
  readonly host: string;
  readonly allowHost?: readonly string[];
  readonly path: string;
  readonly scheme: SchemeChoice;
  readonly forward?: URL;
  readonly save?: string;
}

/** `listen`: receives deliveries, tells what came of each, and hands them on. */
export function listenCommand(terminal: Terminal): Command {
  const command = new Command("listen")
    .summary("receive deliveries, tell what came of each, hand them on to your app")
    .description(
      "Receives deliveries and prints each as one line: time, event, id, verdict, answer, duration. Under a refused one it says what was looked for and what came instead. It answers as a receiver would; with --forward your app does.",
    )
    .option("-p, --port <port>", "the port to listen on; 0 for a free one", wholeNumber(0, 65_535), 4100)
    .option("--host <address>", "the address to listen on; others than loopback let other machines in", "127.0.0.1")
    .option(
      "--allow-host <name>",
      "take what is sent to this name, too, such as a tunnel's; may be given several times",
      collect,
    )
    .option("--path <path>", "the path at which deliveries come", pathOfDeliveries, "/webhooks/bluum")
    .option(
      "-f, --forward <url>",
      "hand every delivery on to this URL, and relay its answer; without a path, to the same path",
      urlReader("--forward"),
    )
    .option("-s, --save <folder>", "keep every delivery in a file of its own in this folder, for detect");
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", HELP)
    .action((options: ListenOptions) => listen(options, terminal, outputOf(command, terminal)));
}

/** A path as it stands in a request: any other would never be asked for. */
function pathOfDeliveries(text: string): string {
  if (/^\/[^?#\s]*$/.test(text)) return text;
  throw new CommandFailed("--path must begin with / and hold no ?, # or white space.", EXIT.usage);
}

const HELP = `
It takes what is sent to this machine's own names, such as localhost, and to those of --allow-host: a page elsewhere could have its name lead here.

--forward hands on POST requests only: every byte of the body, and the headers as they came; Host, Content-Length and Connection are set anew. A body over 1 MiB, or cut short, is refused, and neither handed on nor saved.

${SCHEME_HELP}

Examples:
  $ export BLUUM_WEBHOOK_SECRET="the secret of this endpoint"
  $ bluum-webhooks listen
  $ bluum-webhooks listen --forward http://localhost:3000/webhooks/bluum
  $ bluum-webhooks listen --allow-host my-tunnel.example.com
  $ bluum-webhooks listen --save captures --scheme timestamped:header=X-Sig
  $ bluum-webhooks listen --secret-file secret.txt --json | jq .verdict`;

/** More connections at a time than any provider opens; the bodies of all must fit into memory. */
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 20_000;

async function listen(options: ListenOptions, terminal: Terminal, output: Output): Promise<void> {
  const { signal } = terminal;
  const secrets = await secretsOf(options, terminal, output);
  const judge = judgeBy(secrets, schemeOf(options.scheme));
  const take = taker({ ...options, judge, detectFirst: detection(secrets, output), signal, output });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, take);
  server.maxConnections = MAX_CONNECTIONS;
  if (signal.aborted) return;
  const port = await open(server, options.port, options.host);
  try {
    refuseLoop("--forward", options.forward, port, options.host);
    announce(options, port, output);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await shut(server);
  }
}

function announce({ host, path, forward, scheme }: ListenOptions, port: number, output: Output): void {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  // A query may hold a key.
  const app = forward && `${forward.origin}${forward.pathname}`;
  if (output.json) output.record({ kind: "listening", url, forward: app });
  else {
    output.line(`listening on ${output.colors.bold(url)}${app === undefined ? "" : `, handing on to ${app}`}`);
    output.line(output.colors.dim(`looking for ${schemeOf(scheme).description}; end with Ctrl-C`));
  }
}
