import type { Answer } from "./answer.ts";
import type { Ask, Call } from "./api.ts";
import { at, listOf } from "./json.ts";

/** A list that may come in pages. */
export interface Paged<Item> {
  /** The call for the first page, without its query. */
  readonly call: Call;
  /** The name of the list inside `data`, if it is not `data` itself. */
  readonly member: string;
  /** How many items to request per page. @default the server decides */
  readonly limit?: number;
  /** Reads one item; undefined if it is invalid. */
  readonly read: (raw: unknown) => Item | undefined;
  /** The unique key of an item. */
  readonly keyOf: (item: Item) => string;
}

/** 20,000 webhooks at 200 a page. */
const MAX_PAGES = 100;

/**
 * Gets the items of all pages. `has_more` says whether another page follows. Without it, pages are requested until one has nothing new: a
 * page shorter than `limit` need not be the last, and a server without paging sends the same list again. Without `has_more` and without
 * a `limit`, the first answer is the whole list.
 *
 * @throws BluumApiError `unexpected_answer` for too many pages, or a page that says there is more but has nothing new: an incomplete list
 *   must not be taken for the whole
 */
export async function allOf<Item>(ask: Ask, list: Paged<Item>): Promise<Item[]> {
  const items = new Map<string, Item>();
  for (let page = 1, offset = 0; ; page++) {
    const answer = await ask(pageCall(list, offset));
    const found = itemsOf(answer, list);
    const known = items.size;
    for (const item of found) items.set(list.keyOf(item), item);
    offset += found.length;
    if (isLast(answer, items.size > known, list)) return [...items.values()];
    if (page === MAX_PAGES) throw answer.unexpected(`there are more than ${MAX_PAGES} pages`);
  }
}

function isLast({ body, unexpected }: Answer, hasNew: boolean, { limit }: { readonly limit?: number }): boolean {
  const flags = ["has_more", "hasMore", "data.has_more", "data.hasMore"].map((path) => at(body, path));
  const hasMore = flags.find((value) => typeof value === "boolean");
  if (hasMore === true && !hasNew) throw unexpected("it says that there is more, but has nothing new");
  return hasMore === undefined ? !hasNew || limit === undefined : !hasMore;
}

function pageCall<Item>({ call, limit }: Paged<Item>, offset: number): Call {
  if (limit === undefined && offset === 0) return call;
  return { ...call, query: { ...(limit !== undefined && { limit }), offset } };
}

function itemsOf<Item>({ body, unexpected }: Answer, { member, read }: Paged<Item>): Item[] {
  const list = Array.isArray(body) ? body : listOf(body, `data.${member}`, "data", member);
  if (list === undefined) throw unexpected("it contains no list");
  return list.map((raw) => {
    const item = read(raw);
    if (item === undefined) throw unexpected("an entry of the list lacks a required field");
    return item;
  });
}
