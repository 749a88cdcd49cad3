import { Command } from "commander";
import { CommandFailed, EXIT } from "../exit.ts";
import { type ChangeOptions, change, checkChange } from "../inbox/change.ts";
import { type InboxOptions, withInboxOptions } from "../inbox/options.ts";
import { printParked, printStats } from "../inbox/print.ts";
import { printEvent } from "../inbox/show.ts";
import { withInbox } from "../inbox/use-inbox.ts";
import { wholeNumber } from "../option-parsers.ts";
import { outputOf } from "../output.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** `inbox`: shows what an inbox holds, and redrives or discards what is parked. */
export function inboxCommand(terminal: Terminal): Command {
  const command = new Command("inbox")
    .summary("show what an inbox holds; redrive or discard parked events")
    .description(
      "Shows what an inbox holds, and redrives or discards parked events: those whose handlers have failed at every attempt.",
    )
    .addHelpText("after", HELP);
  for (const make of [statsCommand, parkedCommand, showCommand, redriveCommand, discardCommand]) {
    command.addCommand(withInboxOptions(make(terminal)));
  }
  return command;
}

const HELP = `
Run the command in your app's folder: it uses the app's drivers. --sqlite needs libsql, better-sqlite3 or a Node with node:sqlite; --redis needs bullmq and ioredis; --postgres needs pg-boss and pg. It creates no inbox.

Put a URL with a password into REDIS_URL or DATABASE_URL: the shell's history keeps the command line.

Examples:
  $ bluum-webhooks inbox stats --sqlite webhooks.db
  $ bluum-webhooks inbox parked --redis --queue bluum --type order.filled
  $ bluum-webhooks inbox show orders/evt_1 --postgres --queue bluum
  $ bluum-webhooks inbox redrive --all --dry-run --sqlite webhooks.db`;

function statsCommand(terminal: Terminal): Command {
  const command = new Command("stats")
    .description("Prints how many events wait, are delayed after a failure, are being processed, and are parked.")
    .addHelpText("after", example("stats --sqlite webhooks.db --json"));
  return command.action((options: InboxOptions) =>
    withInbox(options, terminal, async (inbox) => printStats(inbox, await inbox.stats(), outputOf(command, terminal))),
  );
}

interface ParkedOptions extends InboxOptions {
  readonly type?: string;
  readonly limit: number;
  readonly cursor?: string;
}

function parkedCommand(terminal: Terminal): Command {
  const command = new Command("parked")
    .description("Lists parked events with their errors, the oldest first, without their payloads.")
    .option("-t, --type <type>", "only events of this type, such as order.filled", parseType)
    .option("-n, --limit <n>", "the maximum number of events to list", wholeNumber(1, 1_000), 100)
    .option("--cursor <cursor>", "continue after an earlier list, with the cursor that it printed")
    .addHelpText("after", example("parked --type order.filled --sqlite webhooks.db"));
  return command.action(({ type, limit, cursor, ...options }: ParkedOptions) => {
    const query = { limit, ...(type === undefined ? {} : { type }), ...(cursor === undefined ? {} : { cursor }) };
    return withInbox(options, terminal, async (inbox) =>
      printParked(await inbox.parked(query), outputOf(command, terminal)),
    );
  });
}

function showCommand(terminal: Terminal): Command {
  const command = new Command("show")
    .description("Prints one parked event: its times, its error with the stack, its headers and its body.")
    .argument("<key>", "the event's key, as parked prints it")
    .addHelpText("after", example("show orders/evt_1 --sqlite webhooks.db"));
  return command.action((key: string, options: InboxOptions) =>
    withInbox(options, terminal, async (inbox) => {
      const [event] = (await inbox.parked({ keys: [key], limit: 1 })).events;
      if (event === undefined) {
        const message = `no event with the key ${printable(key)} is parked.`;
        throw new CommandFailed(message, EXIT.failed, { code: "nothing_matched" });
      }
      printEvent(event, outputOf(command, terminal));
    }),
  );
}

function redriveCommand(terminal: Terminal): Command {
  const description =
    "Puts parked events back into the queue, with all their attempts left. Handlers that have succeeded do not run again. Asks for confirmation if there are several, unless --yes is given.";
  return changeCommand("redrive", description, "redrive orders/evt_1 --sqlite webhooks.db", terminal);
}

function discardCommand(terminal: Terminal): Command {
  const description = "Deletes parked events for good. Asks for confirmation, unless --yes is given.";
  return changeCommand("discard", description, "discard --type order.filled --yes --sqlite webhooks.db", terminal);
}

function changeCommand(verb: "redrive" | "discard", description: string, line: string, terminal: Terminal): Command {
  const command = new Command(verb)
    .description(description)
    .argument("[keys...]", "the events' keys, as parked prints them")
    .option("-t, --type <type>", "all parked events of this type", parseType)
    .option("--all", "all parked events")
    .option("--dry-run", `print what it would ${verb}, and change nothing`)
    .option("-y, --yes", "skip the confirmation; required without a terminal")
    .addHelpText("after", example(line));
  return command.action((keys: string[], options: InboxOptions & ChangeOptions) => {
    const asked = { verb, keys, options };
    checkChange(asked, terminal);
    return withInbox(options, terminal, (inbox) => change(inbox, asked, terminal, outputOf(command, terminal)));
  });
}

/** An empty type would not be a filter. */
function parseType(text: string): string {
  if (text !== "") return text;
  throw new CommandFailed("--type must name an event type, such as order.filled.", EXIT.usage);
}

function example(args: string): string {
  return `\nExample:\n  $ bluum-webhooks inbox ${args}`;
}
