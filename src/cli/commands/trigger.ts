import { Command } from "commander";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { wholeNumber } from "../number.ts";
import { type Output, outputOf } from "../output.ts";
import { progressBar } from "../progress.ts";
import { SCENARIOS } from "../scenarios.ts";
import { SCHEME_HELP, type SchemeChoice, schemeOf, schemeOption } from "../scheme.ts";
import { type SecretOptions, secretOf, withSecretOptions } from "../secret.ts";
import type { Terminal } from "../terminal.ts";
import { dataOf } from "../trigger/data.ts";
import { FORGERIES, forgeriesOf } from "../trigger/forge.ts";
import { deliveriesOf, isUnknownEvent, plan, stepsOf } from "../trigger/plan.ts";
import { run } from "../trigger/run.ts";
import { type Tally, tally } from "../trigger/tally.ts";
import { urlReader } from "../url.ts";

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

/** `trigger`: signed sample deliveries to a receiver, and what it made of them. */
export function triggerCommand(terminal: Terminal): Command {
  const command = new Command("trigger")
    .summary("send signed sample deliveries, and tell what came of them")
    .description(
      "Sends signed sample deliveries of an event, or of all events of a scenario, and prints a table of what came of them. An event is expected to be processed once, its copies to be recognised as duplicates, and a forged one to be refused.",
    )
    .argument("<event>", "an event, such as order.filled, or a scenario")
    .requiredOption("-t, --to <url>", "where the receiver is", urlReader("--to"))
    .option("-d, --data <json>", "fields of the event's data, as JSON or as a file of it, in place of the sample's")
    .option("-n, --times <n>", "how many times, each with events of its own", wholeNumber(1, 100_000), 1)
    .option("--duplicate <n>", "how many more times to deliver each event, as it is", wholeNumber(0, 10_000), 0)
    .option("-c, --concurrency <n>", "how many deliveries at a time", wholeNumber(1, 256), 1)
    .option("--forge <kind>", "send forged deliveries instead: a kind, several with commas, or all")
    .option("--timeout-ms <ms>", "how long to wait for an answer", wholeNumber(1, 600_000), 30_000);
  return withSecretOptions(command)
    .addOption(schemeOption())
    .addHelpText("after", help)
    .action((name: string, options: TriggerOptions) => trigger(name, options, terminal, outputOf(command, terminal)));
}

const help = () => `
Events: any name; these have samples of their own:
${listed(KNOWN_EVENT_TYPES.map((type) => [type]))}

Scenarios:
${listed(Object.entries(SCENARIOS).map(([name, { title }]) => [name, title]))}

Forgeries (--forge):
${listed(Object.entries(FORGERIES).map(([kind, { title }]) => [kind, title]))}

${SCHEME_HELP}

Examples:
  $ export BLUUM_WEBHOOK_SECRET="the secret of this endpoint"
  $ export APP=http://localhost:3000/webhooks/bluum
  $ bluum-webhooks trigger order.filled --to $APP
  $ bluum-webhooks trigger order.filled --to $APP --data '{"symbol":"MSFT"}'
  $ bluum-webhooks trigger order-filled --to $APP --times 100 --concurrency 8
  $ bluum-webhooks trigger order.filled --to $APP --duplicate 3
  $ bluum-webhooks trigger order.filled --to $APP --forge all`;

function listed(rows: readonly (readonly [string, string?])[]): string {
  return rows.map(([name, title = ""]) => `  ${name.padEnd(22)}${title}`.trimEnd()).join("\n");
}

async function trigger(name: string, options: TriggerOptions, terminal: Terminal, output: Output): Promise<void> {
  const { to, times, duplicate, concurrency, timeoutMs } = options;
  const scheme = schemeOf(options.scheme);
  const steps = stepsOf(name);
  const forgeries = options.forge === undefined ? [] : forgeriesOf(options.forge, scheme);
  const planned = { times, duplicates: duplicate, data: await dataOf(options.data), forgeries };
  const secret = await secretOf(options, terminal, output);
  if (isUnknownEvent(name)) output.note(`${name} is not in the catalogue; it is sent all the same.`);
  const outcomes = tally();
  const deliveries = deliveriesOf(steps, planned);
  const progress = progressBar(deliveries, terminal);
  try {
    const sending = { url: to, secret, scheme, timeoutMs, concurrency, signal: terminal.signal };
    await run(plan(steps, planned), sending, outcomes, progress);
  } finally {
    progress.end();
  }
  outcomes.print(output);
  conclude(outcomes, to, deliveries);
}

/** Ends with the exit code that tells what came of it. */
function conclude(outcomes: Tally, to: URL, planned: number): void {
  const { answered, unexpected, unanswered } = outcomes.count();
  if (unexpected > 0)
    throw new CommandFailed(`${unexpected} of ${answered + unanswered} deliveries were not answered as expected.`);
  const sent = answered + unanswered;
  const rest = planned > sent ? `; the other ${planned - sent} were not sent` : "";
  if (unanswered > 0)
    throw new CommandFailed(
      `${to.origin} did not answer ${unanswered} of ${sent} deliveries${rest}.`,
      EXIT.unreachable,
    );
}
