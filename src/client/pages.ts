import type { Answer } from "./answer.ts";
import type { Ask, Call } from "./api.ts";
import { at, listOf } from "./json.ts";

/** A list that may come in pages. */
export interface Paged<Item> {
  /** The call for the first page, without its query. */
  readonly call: Call;
  /** What the list is called inside `data`, where it is not `data` itself. */
  readonly member: string;
  /** How many items to ask for at a time; left to the server where it is missing. */
  readonly limit?: number;
  /** One item in one type, or undefined where it is none. */
  readonly read: (raw: unknown) => Item | undefined;
  /** What tells items apart. */
  readonly keyOf: (item: Item) => string;
}

/** 20,000 webhooks at 200 a page. */
const MAX_PAGES = 100;

/**
 * Gets all pages. A list may say whether there are more (`has_more`); one that does not is asked until a page has
 * nothing new: one that is shorter than was asked for may be as long as the server makes them. A server that does not know pages
 * repeats itself then, and that is the end. Where no limit is asked for, a list that does not say is whole.
 *
 * @throws BluumApiError `unexpected_answer` where there is no end to it, or a list says that there is more and gives nothing new:
 *   half a list must not pass for the whole
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
  const more = ["has_more", "hasMore", "data.has_more", "data.hasMore"].map((path) => at(body, path));
  const says = more.find((value) => typeof value === "boolean");
  if (says === true && !hasNew) throw unexpected("it says that there is more, and has nothing new");
  return says === undefined ? !hasNew || limit === undefined : !says;
}

function pageCall<Item>({ call, limit }: Paged<Item>, offset: number): Call {
  if (limit === undefined && offset === 0) return call;
  return { ...call, query: { ...(limit !== undefined && { limit }), offset } };
}

function itemsOf<Item>({ body, unexpected }: Answer, { member, read }: Paged<Item>): Item[] {
  const list = Array.isArray(body) ? body : listOf(body, `data.${member}`, "data", member);
  if (list === undefined) throw unexpected("there is no list in it");
  return list.map((raw) => {
    const item = read(raw);
    if (item === undefined) throw unexpected("an entry of the list has not what it must have");
    return item;
  });
}
