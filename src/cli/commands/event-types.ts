import { Command } from "commander";
import type { BluumEventType } from "../../client/index.ts";
import { KNOWN_EVENT_TYPES } from "../../index.ts";
import { API_HELP, type ApiOptions, withApiOptions, withClient } from "../api-credentials.ts";
import { eventMapFile } from "../event-map.ts";
import { type Output, outputOf } from "../output.ts";
import { printable } from "../printable.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

interface EventTypesOptions extends ApiOptions {
  readonly typescript?: boolean;
}

/** `event-types`: prints the events of Bluum's live catalogue, as a table or as TypeScript. */
export function eventTypesCommand(terminal: Terminal): Command {
  const command = new Command("event-types")
    .summary("list the events of Bluum's live catalogue, or print them as TypeScript")
    .description(
      "Fetches the live catalogue of events from Bluum. With --typescript it prints a file that adds the names missing from this package to its types.",
    )
    .option("--typescript", "print a TypeScript file that adds the names to the package's types");
  return withApiOptions(command)
    .addHelpText("after", HELP)
    .action(async (options: EventTypesOptions) => {
      const { signal } = terminal;
      const eventTypes = await withClient(options, terminal, (client) => client.eventTypes({ signal }));
      const output = outputOf(command, terminal);
      if (options.typescript) printTypeScript(eventTypes, output);
      else printEventTypes(eventTypes, output);
    });
}

const HELP = `
${API_HELP}

Examples:
  $ bluum-webhooks event-types --base-url sandbox
  $ bluum-webhooks event-types --typescript > src/bluum-events.d.ts
  $ bluum-webhooks event-types --json | jq -r '.eventTypes[].name'`;

interface Row {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Whether the package's types include it. */
  readonly typed: boolean;
}

function printEventTypes(eventTypes: readonly BluumEventType[], output: Output): void {
  const rows = eventTypes.map<Row>(({ name, version = "", description = "" }) => {
    return { name, version, description, typed: (KNOWN_EVENT_TYPES as readonly string[]).includes(name) };
  });
  if (output.json) output.record({ eventTypes: rows });
  else output.line(rows.length === 0 ? "There are no events." : tableOf(rows, output));
}

function tableOf(rows: readonly Row[], output: Output): string {
  const cells = rows.map(({ name, version, typed, description }) => {
    return [printable(name), printable(version), typed ? "yes" : "no", printable(description)];
  });
  return table(["name", "version", "typed", "description"], cells, output);
}

function printTypeScript(eventTypes: readonly BluumEventType[], output: Output): void {
  const { text, leftOut } = eventMapFile(eventTypes);
  if (output.json) output.record({ typescript: text, leftOut });
  else output.line(text.trimEnd());
  for (const name of leftOut) output.note(`left out, since it is not a valid event name: ${printable(name)}`);
}
