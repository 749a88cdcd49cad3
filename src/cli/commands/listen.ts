import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Command } from "commander";
import { answer, send } from "../listen/answer.ts";
import { type Arrival, arrivalOf } from "../listen/arrival.ts";
import { judgeBy } from "../listen/judge.ts";
import { tell } from "../listen/line.ts";
import { open, shut } from "../listen/port.ts";
import { captureOf, saveCapture } from "../listen/save.ts";
import { wholeNumber } from "../number.ts";
import { type Output, outputOf } from "../output.ts";
import { printable } from "../printable.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretsOf, withSecretOptions } from "../secret.ts";
import { refuseLoop, targetUrl } from "../target.ts";
import type { Terminal } from "../terminal.ts";

interface ListenOptions extends SecretOptions {
  readonly port: number;
  readonly host: string;
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
    .option("--path <path>", "the path at which deliveries come", "/webhooks/bluum")
    .option("-f, --forward <url>", "hand every delivery on to this URL, untouched, and relay its answer", targetUrl)
    .option("-s, --save <folder>", "keep every delivery in a file of its own in this folder, for detect");
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", HELP)
    .action((options: ListenOptions) => listen(options, terminal, outputOf(command, terminal)));
}

const HELP = `
${SCHEME_HELP}

Examples:
  $ export BLUUM_WEBHOOK_SECRET="the secret of this endpoint"
  $ bluum-webhooks listen
  $ bluum-webhooks listen --forward http://localhost:3000/webhooks/bluum
  $ bluum-webhooks listen --save captures --scheme timestamped:header=X-Sig
  $ bluum-webhooks listen --secret-file secret.txt --json | jq .verdict`;

/** More connections at a time than any provider opens; the bodies of all must fit into memory. */
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 20_000;

async function listen(options: ListenOptions, terminal: Terminal, output: Output): Promise<void> {
  const take = taker(options, await secretsOf(options, terminal, output), terminal.signal, output);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    take(request, response).catch((error: unknown) => {
      output.note(`a delivery could not be taken: ${printable(String(error))}`);
      response.destroy();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  if (terminal.signal.aborted) return;
  const port = await open(server, options.port, options.host);
  try {
    refuseLoop(options.forward, port, options.host);
    announce(options, port, output);
    if (!terminal.signal.aborted) await once(terminal.signal, "abort");
  } finally {
    await shut(server);
  }
}

function announce({ host, path, forward, scheme }: ListenOptions, port: number, output: Output): void {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  if (output.json) output.record({ kind: "listening", url, forward: forward?.href });
  else {
    output.line(
      `listening on ${output.colors.bold(url)}${forward === undefined ? "" : `, handing on to ${forward.href}`}`,
    );
    output.line(output.colors.dim(`looking for ${schemeOf(scheme).description}; end with Ctrl-C`));
  }
}

/** What is done with one request. */
function taker(
  { scheme, path, forward, save }: ListenOptions,
  secrets: readonly string[],
  signal: AbortSignal,
  output: Output,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const judge = judgeBy(secrets, schemeOf(scheme));
  return async function take(request, response) {
    const began = performance.now();
    if (request.url?.split("?", 1)[0] !== path) {
      send(response, { status: 404, headers: {}, body: "" });
      output.note(`404 ${printable(`${request.method} ${request.url}`)}: deliveries are received at ${path}`);
      return;
    }
    const arrival = await arrivalOf(request);
    const judgement = await judge(arrival);
    const answered = await answer(arrival, judgement, response, forward, signal);
    const durationMs = performance.now() - began;
    const saved = save === undefined ? undefined : await keep(save, arrival, output);
    tell({ arrival, judgement, ...answered, durationMs, saved }, output);
  };
}

/** Saves a delivery. One that cannot be saved was answered all the same. */
async function keep(folder: string, arrival: Arrival, output: Output): Promise<string | undefined> {
  const capture = captureOf(arrival);
  if (capture === undefined) return undefined;
  try {
    return await saveCapture(folder, capture);
  } catch (error) {
    output.note(`a delivery could not be saved in ${folder}: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
