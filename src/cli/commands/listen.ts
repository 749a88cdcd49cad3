import { once } from "node:events";
import { createServer } from "node:http";
import { Command } from "commander";
import { CommandFailed, EXIT } from "../exit.ts";
import { deliveryCheck } from "../listen/check-delivery.ts";
import { schemeDetector } from "../listen/detect-scheme.ts";
import { requestHandler } from "../listen/request-handler.ts";
import { collect, wholeNumber } from "../option-parsers.ts";
import { type Output, outputOf } from "../output.ts";
import { closePort, openPort } from "../port.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretsOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { refuseLoop, urlParser } from "../url.ts";

interface ListenOptions extends SecretOptions {
  readonly port: number;
  readonly host: string;
  readonly allowHost?: readonly string[];
  readonly path: string;
  readonly scheme: SchemeChoice;
  readonly forward?: URL;
  readonly save?: string;
}

/** `listen`: receives deliveries, prints the result of each, and forwards them. */
export function listenCommand(terminal: Terminal): Command {
  const command = new Command("listen")
    .summary("receive deliveries, print the result of each, and forward them to your app")
    .description(
      "Receives deliveries and prints each as one line: time, event, id, verdict, status, duration. For a refused delivery it prints the expected and the received headers. It answers as a receiver does; with --forward, your app answers.",
    )
    .option("-p, --port <port>", "the port to listen on; 0 for a free one", wholeNumber(0, 65_535), 4100)
    .option("--host <address>", "the address to listen on; any but loopback lets other machines connect", "127.0.0.1")
    .option(
      "--allow-host <name>",
      "accept requests to this host name too, such as a tunnel's; may be given several times",
      collect,
    )
    .option("--path <path>", "the path of deliveries", parsePath, "/webhooks/bluum")
    .option(
      "-f, --forward <url>",
      "forward each delivery to this URL and relay the answer; without a path, to the same path",
      urlParser("--forward"),
    )
    .option("-s, --save <folder>", "save each delivery in a file in this folder, for detect");
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", HELP)
    .action((options: ListenOptions) => listen(options, terminal, outputOf(command, terminal)));
}

/** Accepts a path that a request can have. */
function parsePath(text: string): string {
  if (/^\/[^?#\s]*$/.test(text)) return text;
  throw new CommandFailed("--path must begin with / and must not contain ?, # or white space.", EXIT.usage);
}

const HELP = `
Only requests to this machine's own host names, such as localhost, and to those of --allow-host are accepted: a web site could make its own name resolve to this machine.

--forward sends POST requests only, with the exact bytes of the body and the headers as received; Host, Content-Length and Connection are replaced. A body over 1 MiB, or an incomplete one, is refused, and neither forwarded nor saved.

${SCHEME_HELP}

Examples:
  $ export BLUUM_WEBHOOK_SECRET="the secret of this endpoint"
  $ bluum-webhooks listen
  $ bluum-webhooks listen --forward http://localhost:3000/webhooks/bluum
  $ bluum-webhooks listen --allow-host my-tunnel.example.com
  $ bluum-webhooks listen --save captures --scheme timestamped:header=X-Sig
  $ bluum-webhooks listen --secret-file secret.txt --json | jq .verdict`;

/** More connections than any provider opens. The bodies of all must fit in memory. */
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 20_000;

async function listen(options: ListenOptions, terminal: Terminal, output: Output): Promise<void> {
  const { signal } = terminal;
  const secrets = await secretsOf(options, terminal, output);
  const checkDelivery = deliveryCheck(secrets, schemeOf(options.scheme));
  const detectFirst = schemeDetector(secrets, output);
  const handler = requestHandler({ ...options, checkDelivery, detectFirst, signal, output });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, handler);
  server.maxConnections = MAX_CONNECTIONS;
  if (signal.aborted) return;
  const port = await openPort(server, options.port, options.host);
  try {
    refuseLoop("--forward", options.forward, port, options.host);
    announce(options, port, output);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await closePort(server);
  }
}

function announce({ host, path, forward, scheme }: ListenOptions, port: number, output: Output): void {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  // Without the query, which may contain a key.
  const app = forward && `${forward.origin}${forward.pathname}`;
  if (output.json) output.record({ kind: "listening", url, forward: app });
  else {
    output.line(`listening on ${output.colors.bold(url)}${app === undefined ? "" : `, forwarding to ${app}`}`);
    output.line(output.colors.dim(`expecting ${schemeOf(scheme).description}; stop with Ctrl-C`));
  }
}
