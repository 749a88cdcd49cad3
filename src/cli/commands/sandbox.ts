import { once } from "node:events";
import { Command, InvalidArgumentError, Option } from "commander";
import { WebhookError } from "../../index.ts";
import { createSandbox, FAULTS, type FaultPlan, type ResponseShape, type Sandbox } from "../../sandbox/index.ts";
import { isLoopback } from "../../sandbox/server/origins.ts";
import type { CommandFailed } from "../exit.ts";
import { wholeNumber } from "../option-parsers.ts";
import { type Output, outputOf } from "../output.ts";
import { portFailure } from "../port.ts";
import { printable } from "../printable.ts";
import { parseFaults } from "../sandbox/faults.ts";
import { type ForwardedTo, forwardTo } from "../sandbox/forward-to.ts";
import { changePrinter } from "../sandbox/print.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { secretOfVariable } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { refuseLoop, secureUrlParser } from "../url.ts";

interface SandboxCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly speed: number;
  readonly scheme: SchemeChoice;
  readonly eventIds?: true;
  readonly shape: ResponseShape;
  readonly forwardTo?: URL;
  readonly state?: string;
  readonly seed?: number;
  readonly faults?: FaultPlan;
}

/** `sandbox`: runs Bluum on localhost until Ctrl-C. */
export function sandboxCommand(terminal: Terminal): Command {
  const command = new Command("sandbox")
    .summary("run Bluum on localhost: webhook API, deliveries with retries, inspector page")
    .description(
      "Runs the webhook system that Bluum documents on this machine: the management API, signed deliveries with retries, parking and replay, and a page to inspect and control them. Prints a line for each attempt. Not for production.",
    )
    .option("-p, --port <port>", "the port to listen on; 0 for a free one", wholeNumber(0, 65_535), 4400)
    .option("--host <address>", "the address to listen on; any but loopback lets other machines connect", "127.0.0.1")
    .option("--speed <factor>", "the speed of time: with 60, a minute takes a second", parseSpeed, 1)
    .option(
      "--forward-to <url>",
      "register this URL of your app for all events; with the secret of the variable BLUUM_WEBHOOK_SECRET, if it is set",
      secureUrlParser("--forward-to"),
    )
    .option("--event-ids", "add an event id to the top level of every payload")
    .option("--state <file>", "store everything in this SQLite file, and continue from it")
    .addOption(
      new Option("--shape <shape>", "the shape of the API's answers")
        .choices(["flat", "wrapped", "detailed"])
        .default("detailed"),
    )
    .option("--seed <n>", "the seed of random faults and jitter", wholeNumber(0, 2 ** 32 - 1))
    .option("--faults <list>", "faults to inject into deliveries: names, name=probability, or all=…", parseFaults)
    .addOption(schemeOption())
    .addHelpText("after", HELP);
  return command.action((options: SandboxCommandOptions) => run(options, terminal, outputOf(command, terminal)));
}

const HELP = `
Faults (--faults):
  ${FAULTS.join(", ")}

${SCHEME_HELP}

Examples:
  $ bluum-webhooks sandbox
  $ bluum-webhooks sandbox --forward-to http://localhost:3000/webhooks/bluum
  $ bluum-webhooks sandbox --speed 60 --state sandbox.db
  $ bluum-webhooks sandbox --faults duplicate,concurrent
  $ bluum-webhooks sandbox --faults all=0.1 --seed 7 --scheme standard-webhooks`;

function parseSpeed(text: string): number {
  const factor = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (factor >= 0.001 && factor <= 100_000) return factor;
  throw new InvalidArgumentError("It must be a number from 0.001 to 100000.");
}

async function run(options: SandboxCommandOptions, terminal: Terminal, output: Output): Promise<void> {
  const { signal } = terminal;
  if (signal.aborted) return;
  const { port, host, speed, scheme, eventIds = false, shape, state, seed, faults, forwardTo: app } = options;
  const secret = app && secretOfVariable(terminal);
  let running: Sandbox | undefined;
  const print = changePrinter(output, speed, (id) => running?.secrets(id)[0]);
  const sandbox = await createSandbox({
    ...{ port, host, speed, scheme: schemeOf(scheme), eventIds, responseShape: shape, observe: print },
    warn: (message) => output.note(message),
    ...(state === undefined ? {} : { statePath: state }),
    ...(seed === undefined ? {} : { seed }),
    ...(faults === undefined ? {} : { faults }),
  }).catch((error) => {
    throw listenFailure(error, port, host) ?? error;
  });
  running = sandbox;
  try {
    refuseLoop("--forward-to", app, Number(new URL(sandbox.url).port), host);
    const endpoint = app && (await forwardTo(sandbox, app, secret));
    // Endpoints of an earlier run cause no change.
    for (const endpoint of sandbox.endpoints()) print({ kind: "endpoint", now: sandbox.now(), endpoint });
    announce(sandbox, endpoint, options, output);
    warnIfReachable(options, output);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    await sandbox.close();
  }
}

/** The error of `listen` if the port cannot be opened; undefined for another error. */
function listenFailure(error: unknown, port: number, host: string): CommandFailed | undefined {
  const cause = error instanceof WebhookError ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return ["listen", "getaddrinfo"].includes(cause?.syscall ?? "") ? portFailure(cause as Error, port, host) : undefined;
}

function announce(
  sandbox: Sandbox,
  endpoint: ForwardedTo | undefined,
  options: SandboxCommandOptions,
  output: Output,
): void {
  const { url, baseUrl, credentials, investorCredentials } = sandbox;
  if (output.json) output.record({ kind: "listening", url, baseUrl, credentials, investorCredentials, endpoint });
  else for (const line of greeting(sandbox, endpoint, options, output)) output.line(line);
  const status = sandbox.endpoints().find(({ id }) => id === endpoint?.id)?.status;
  if (endpoint && status === "INACTIVE") output.note(`${endpoint.url} is paused; activate it on the page.`);
}

function warnIfReachable({ host }: SandboxCommandOptions, output: Output): void {
  if (isLoopback(host)) return;
  output.note("Other machines can reach this sandbox, see every secret and send any delivery.");
}

function greeting(
  sandbox: Sandbox,
  endpoint: ForwardedTo | undefined,
  { scheme, speed }: SandboxCommandOptions,
  { colors }: Output,
): string[] {
  const { url, baseUrl, credentials, investorCredentials: investor } = sandbox;
  return [
    `inspector at ${colors.bold(url)}`,
    `  export BLUUM_BASE_URL=${baseUrl}`,
    `  export BLUUM_API_KEY=${credentials.apiKey}`,
    `  export BLUUM_API_SECRET=${credentials.apiSecret}`,
    ...(endpoint === undefined ? [] : forwarding(endpoint)),
    ...[
      `an investor's key, which the API refuses: ${investor.apiKey}:${investor.apiSecret}`,
      `signing as ${schemeOf(scheme).description}${speed === 1 ? "" : `; time is ${speed} times as fast`}`,
      "for tests and development, not for production; stop with Ctrl-C",
    ].map(colors.dim),
  ];
}

function forwarding({ url, secret }: ForwardedTo): string[] {
  return [
    `delivering to ${printable(url, 2_048)}`,
    ...(secret === undefined ? [] : [`  export BLUUM_WEBHOOK_SECRET=${secret}`]),
  ];
}
