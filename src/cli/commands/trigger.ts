import { Command } from "commander";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { wholeNumber } from "../option-parsers.ts";
import { type Output, outputOf } from "../output.ts";
import { progressBar } from "../progress.ts";
import { SCENARIOS } from "../scenarios.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { parseData } from "../trigger/data.ts";
import { FORGERIES, parseForgeries } from "../trigger/forgeries.ts";
import { countDeliveries, isUnknownEvent, plan, stepsOf } from "../trigger/plan.ts";
import { run } from "../trigger/run.ts";
import { createSummary, type Summary } from "../trigger/summary.ts";
import { urlParser } from "../url.ts";

interface TriggerOptions extends SecretOptions {
  readonly to: URL;
  readonly data?: string;
  readonly times: number;
  readonly duplicate: number;
  readonly concurrency: number;
  readonly forge?: string;
  readonly timeoutMs: number;
  readonly scheme: SchemeChoice;
}

/** `trigger`: sends signed sample deliveries to a receiver and prints the results. */
export function triggerCommand(terminal: Terminal): Command {
  const command = new Command("trigger")
    .summary("send signed sample deliveries and print the results")
    .description(
      "Sends signed sample deliveries of an event, or of all events of a scenario, and prints a table of the results. An event should be processed once, its copies recognised as duplicates, and a forged delivery refused.",
    )
    .argument("<event>", "an event, such as order.filled, or a scenario")
    .requiredOption("-t, --to <url>", "the URL of the receiver", urlParser("--to"))
    .option("-d, --data <json>", "fields to replace in the sample's data: a JSON object, or a file with one")
    .option("-n, --times <n>", "the number of runs, each with new events", wholeNumber(1, 100_000), 1)
    .option("--duplicate <n>", "the number of additional copies of each event", wholeNumber(0, 10_000), 0)
    .option("-c, --concurrency <n>", "the number of deliveries at a time", wholeNumber(1, 256), 1)
    .option("--forge <kind>", "send forged deliveries instead: a kind, several separated by commas, or all")
    .option("--timeout-ms <ms>", "the time limit for an answer", wholeNumber(1, 600_000), 30_000);
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", help)
    .action((name: string, options: TriggerOptions) => trigger(name, options, terminal, outputOf(command, terminal)));
}

const help = () => `
Events: any name; these have their own samples:
${list(KNOWN_EVENT_TYPES.map((type) => [type]))}

Scenarios:
${list(Object.entries(SCENARIOS).map(([name, { title }]) => [name, title]))}

Forgeries (--forge):
${list(Object.entries(FORGERIES).map(([kind, { title }]) => [kind, title]))}

${SCHEME_HELP}

Examples:
  $ export BLUUM_WEBHOOK_SECRET="the secret of this endpoint"
  $ export APP=http://localhost:3000/webhooks/bluum
  $ bluum-webhooks trigger order.filled --to $APP
  $ bluum-webhooks trigger order.filled --to $APP --data '{"symbol":"MSFT"}'
  $ bluum-webhooks trigger order-filled --to $APP --times 100 --concurrency 8
  $ bluum-webhooks trigger order.filled --to $APP --duplicate 3
  $ bluum-webhooks trigger order.filled --to $APP --forge all`;

function list(rows: readonly (readonly [string, string?])[]): string {
  return rows.map(([name, title = ""]) => `  ${name.padEnd(22)}${title}`.trimEnd()).join("\n");
}

async function trigger(name: string, options: TriggerOptions, terminal: Terminal, output: Output): Promise<void> {
  const { to, times, duplicate, concurrency, timeoutMs } = options;
  const scheme = schemeOf(options.scheme);
  const steps = stepsOf(name);
  const forgeries = options.forge === undefined ? [] : parseForgeries(options.forge, scheme);
  const planOptions = { times, duplicates: duplicate, data: await parseData(options.data), forgeries };
  const secret = await secretOf(options, terminal, output);
  if (isUnknownEvent(name)) output.note(`${name} is not in the catalogue; it is sent nevertheless.`);
  const summary = createSummary();
  const deliveries = countDeliveries(steps, planOptions);
  const progress = progressBar(deliveries, terminal);
  try {
    const sending = { url: to, secret, scheme, timeoutMs, concurrency, signal: terminal.signal };
    await run(plan(steps, planOptions), sending, summary, progress);
  } finally {
    progress.end();
  }
  summary.print(output);
  throwIfFailed(summary, to, deliveries);
}

/** Throws if answers are unexpected or missing, with the matching exit code. */
function throwIfFailed(summary: Summary, to: URL, planned: number): void {
  const { answered, unexpected, unanswered } = summary.count();
  const sent = answered + unanswered;
  if (unexpected > 0) throw new CommandFailed(`${unexpected} of ${sent} deliveries were not answered as expected.`);
  const rest = planned > sent ? `; the other ${planned - sent} were not sent` : "";
  if (unanswered > 0)
    throw new CommandFailed(
      `${to.origin} did not answer ${unanswered} of ${sent} deliveries${rest}.`,
      EXIT.unreachable,
    );
}
