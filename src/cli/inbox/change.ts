import type { Inbox } from "../../inbox/inbox.ts";
import { canAsk, isConfirmed } from "../confirm.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { parkedTable, recordOf } from "./print.ts";
import { type Selected, type SelectOptions, selectedBy, selectionOf } from "./select.ts";

/** The options of `redrive` and `discard`, as commander parses them. */
export interface ChangeOptions extends SelectOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** A change of parked events. */
export interface Change {
  /** The method of the inbox that makes it. */
  readonly verb: "redrive" | "discard";
  readonly keys: readonly string[];
  readonly options: ChangeOptions;
}

/**
 * Checks how a change was asked for, before the inbox is opened.
 *
 * @throws CommandFailed `usage` for a wrong selection, and if nobody can confirm a change that may need it
 */
export function checkChange({ verb, keys, options }: Change, terminal: Terminal): void {
  const selection = selectionOf(keys, options);
  if (options.yes || options.dryRun || canAsk(terminal)) return;
  if (verb === "redrive" && "keys" in selection && selection.keys.length === 1) return;
  const what = verb === "redrive" ? "more than one event" : "events";
  throw new CommandFailed(`without a terminal to confirm it, ${verb} needs --yes for ${what}.`, EXIT.usage);
}

/**
 * Redrives or discards parked events, and prints how many.
 *
 * @throws CommandFailed if no parked event is selected, or if the person at the terminal does not confirm
 */
export async function change(
  inbox: Inbox,
  { verb, keys, options }: Change,
  terminal: Terminal,
  output: Output,
): Promise<void> {
  const selection = selectionOf(keys, options);
  const selected = await selectedBy(selection, inbox);
  for (const key of selected.count > 0 ? selected.notParked : []) output.note(`not parked: ${printable(key)}`);
  if (selected.count === 0) throw nothingMatched();
  if (options.dryRun) return printDryRun(verb, selected, output);
  await confirm(verb, selected, options, terminal);
  const count = await inbox[verb](selection);
  if (count === 0) throw nothingMatched();
  const done = verb === "redrive" ? "redriven" : "discarded";
  if (output.json) output.record({ [done]: count, notParked: selected.notParked });
  else output.line(`${count} ${done}`);
}

async function confirm(
  verb: Change["verb"],
  { count, first }: Selected,
  { yes = false }: ChangeOptions,
  terminal: Terminal,
): Promise<void> {
  if (yes || (verb === "redrive" && count === 1)) return;
  const [event] = first;
  const what = count === 1 && event ? `the parked event ${printable(event.key)}` : `${count} parked events`;
  const question = verb === "redrive" ? `Redrive ${what}?` : `Delete ${what} for good?`;
  if (canAsk(terminal) && (await isConfirmed(question, terminal))) return;
  throw new CommandFailed("not confirmed; nothing was changed.", EXIT.failed, { code: "not_confirmed" });
}

function printDryRun(verb: Change["verb"], { count, first, notParked }: Selected, output: Output): void {
  const would = verb === "redrive" ? "wouldRedrive" : "wouldDiscard";
  if (output.json) {
    output.record({ [would]: count, events: first.map(recordOf), notParked });
    return;
  }
  output.line(parkedTable(first, output));
  if (count > first.length) output.line(`and ${count - first.length} more`);
  output.line(`would ${verb} ${count}`);
}

function nothingMatched(): CommandFailed {
  return new CommandFailed("no parked event matches.", EXIT.failed, { code: "nothing_matched" });
}
