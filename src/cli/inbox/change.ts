import type { Inbox } from "../../inbox/inbox.ts";
import { canAsk, isConfirmed } from "../confirm.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { parkedTable, recordOf } from "./print.ts";
import { chunks, type Selected, type SelectOptions, selectedBy, selectionOf } from "./select.ts";

/** The options of `redrive` and `discard`, as commander parses them. */
export interface ChangeOptions extends SelectOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** A change of parked events, as it was asked for. */
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
  const unless = verb === "redrive" ? ", except for one key" : "";
  throw new CommandFailed(`without a terminal to confirm it, ${verb} needs --yes${unless}.`, EXIT.usage);
}

/**
 * Redrives or discards parked events, and prints how many.
 *
 * @throws CommandFailed if no parked event is selected, or if the person at the terminal does not confirm
 */
export async function change(inbox: Inbox, asked: Change, terminal: Terminal, output: Output): Promise<void> {
  const { verb, options } = asked;
  const selection = selectionOf(asked.keys, options);
  if (options.yes && !options.dryRun && !("keys" in selection)) {
    printDone(verb, await inbox[verb](selection), [], output);
    return;
  }
  const selected = await selectedBy(selection, inbox);
  if (selected.keys.length === 0) throw nothingMatched();
  for (const key of selected.notParked) output.note(`not parked: ${printable(key)}`);
  if (options.dryRun) {
    printDryRun(verb, selected, output);
    return;
  }
  if (!options.yes) await confirm(verb, selected, terminal);
  printDone(verb, await changeKeys(inbox, verb, selected.keys), selected.notParked, output);
}

/** Keys of one call. */
const BATCH = 500;

/** Changes what was confirmed, and nothing that was parked meanwhile. */
async function changeKeys(inbox: Inbox, verb: Change["verb"], all: readonly string[]): Promise<number> {
  let count = 0;
  for (const keys of chunks(all, BATCH)) count += await inbox[verb]({ keys });
  return count;
}

async function confirm(verb: Change["verb"], { keys }: Selected, terminal: Terminal): Promise<void> {
  if (verb === "redrive" && keys.length === 1) return;
  const what = keys.length === 1 ? `the parked event ${printable(keys[0] ?? "")}` : `${keys.length} parked events`;
  const question = verb === "redrive" ? `Redrive ${what}?` : `Delete ${what} for good?`;
  if (canAsk(terminal) && (await isConfirmed(question, terminal))) return;
  throw new CommandFailed("not confirmed; nothing was changed.", EXIT.failed, { code: "not_confirmed" });
}

function printDryRun(verb: Change["verb"], { keys, first, notParked }: Selected, output: Output): void {
  const would = verb === "redrive" ? "wouldRedrive" : "wouldDiscard";
  if (output.json) {
    output.record({ [would]: keys.length, events: first.map(recordOf), notParked });
    return;
  }
  output.line(parkedTable(first, output));
  if (keys.length > first.length) output.line(`and ${keys.length - first.length} more`);
  output.line(`would ${verb} ${keys.length}`);
}

function printDone(verb: Change["verb"], count: number, notParked: readonly string[], output: Output): void {
  if (count === 0) throw nothingMatched();
  const done = verb === "redrive" ? "redriven" : "discarded";
  if (output.json) output.record({ [done]: count, notParked });
  else output.line(`${count} ${done}`);
}

function nothingMatched(): CommandFailed {
  return new CommandFailed("no parked event matches.", EXIT.failed, { code: "nothing_matched" });
}
