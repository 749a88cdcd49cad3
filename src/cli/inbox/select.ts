import type { Inbox, ParkedEvent, ParkedQuery, ParkedSelection } from "../../inbox/inbox.ts";
import { CommandFailed, EXIT } from "../exit.ts";

/** The options and arguments that select parked events, as commander parses them. */
export interface SelectOptions {
  readonly type?: string;
  readonly all?: boolean;
}

/** The parked events that are selected. */
export interface Selected {
  readonly keys: readonly string[];
  /** The first of them, at most 100. */
  readonly first: readonly ParkedEvent[];
  /** The keys that were given, and of which no event is parked. */
  readonly notParked: readonly string[];
}

/** How many events are read at once: each may have a body of a megabyte. */
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

/** Finds out which events a selection selects now, without changing anything. */
export async function selectedBy(selection: ParkedSelection, inbox: Inbox): Promise<Selected> {
  const keys = new Set<string>();
  const first: ParkedEvent[] = [];
  for (const query of queriesOf(selection)) {
    for await (const events of pages(inbox, query)) {
      first.push(...events.slice(0, PAGE - first.length));
      for (const { key } of events) keys.add(key);
    }
  }
  const given = "keys" in selection ? selection.keys : [];
  return { keys: [...keys], first, notParked: given.filter((key) => !keys.has(key)) };
}

function queriesOf(selection: ParkedSelection): ParkedQuery[] {
  if ("type" in selection) return [{ type: selection.type }];
  if ("all" in selection) return [{}];
  return chunks(selection.keys, PAGE).map((keys) => ({ keys }));
}

async function* pages(inbox: Inbox, query: ParkedQuery): AsyncGenerator<readonly ParkedEvent[]> {
  let cursor: string | undefined;
  do {
    const page = await inbox.parked({ ...query, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield page.events;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A list in parts of that length. */
export function chunks<T>(list: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / length) }, (_, n) => list.slice(n * length, (n + 1) * length));
}
