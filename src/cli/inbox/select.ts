import type { Inbox, ParkedEvent, ParkedQuery, ParkedSelection } from "../../inbox/inbox.ts";
import { CommandFailed, EXIT } from "../exit.ts";

/** The options and arguments that select parked events, as commander parses them. */
export interface SelectOptions {
  readonly type?: string;
  readonly all?: boolean;
}

/** What is selected of the parked events. */
export interface Selected {
  readonly count: number;
  /** The first of them, at most 100. */
  readonly first: readonly ParkedEvent[];
  /** The keys that were given, and of which no event is parked. */
  readonly notParked: readonly string[];
}

/** Events on a page: each may have a body of a megabyte. */
const PAGE = 100;

/**
 * The selection of a command line.
 *
 * @throws CommandFailed `usage` unless exactly one of keys, `--type` and `--all` was given
 */
export function selectionOf(keys: readonly string[], { type, all }: SelectOptions): ParkedSelection {
  const given = [keys.length > 0, type !== undefined, all === true].filter(Boolean).length;
  if (given !== 1) throw new CommandFailed("give either keys, --type <type> or --all.", EXIT.usage);
  if (type !== undefined) return { type };
  return all ? { all: true } : { keys: [...new Set(keys)] };
}

/** Finds out what a selection selects, without changing anything. */
export async function selectedBy(selection: ParkedSelection, inbox: Inbox): Promise<Selected> {
  if ("keys" in selection) return selectedKeys(selection.keys, inbox);
  if ("all" in selection) {
    const { events } = await inbox.parked({ limit: PAGE });
    const { parked } = await inbox.stats();
    return { count: Math.max(parked, events.length), first: events, notParked: [] };
  }
  const first: ParkedEvent[] = [];
  let count = 0;
  for await (const events of pages(inbox, { type: selection.type })) {
    if (count === 0) first.push(...events);
    count += events.length;
  }
  return { count, first, notParked: [] };
}

async function selectedKeys(keys: readonly string[], inbox: Inbox): Promise<Selected> {
  const first: ParkedEvent[] = [];
  const found = new Set<string>();
  for (let from = 0; from < keys.length; from += PAGE) {
    const { events } = await inbox.parked({ keys: keys.slice(from, from + PAGE), limit: PAGE });
    if (from === 0) first.push(...events);
    for (const { key } of events) found.add(key);
  }
  return { count: found.size, first, notParked: keys.filter((key) => !found.has(key)) };
}

async function* pages(inbox: Inbox, query: ParkedQuery): AsyncGenerator<readonly ParkedEvent[]> {
  let cursor: string | undefined;
  do {
    const page = await inbox.parked({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    if (page.events.length > 0) yield page.events;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
