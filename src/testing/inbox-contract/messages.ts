import { type InboxMessage, readMessage } from "../../inbox/message.ts";
import { same } from "../same.ts";

/** Fails where what was read from the inbox is not the message that was added. Fields may come in another order. */
export function sameMessage(what: string, read: unknown, added: InboxMessage): void {
  const [found, expected] = [sorted(readMessage(read)), sorted(added)];
  if (found === expected) return;
  let place = 0;
  while (found[place] === expected[place]) place += 1;
  const around = (text: string) => text.slice(Math.max(0, place - 40), place + 40);
  same(`${what}, around character ${place}`, around(found), around(expected));
}

/** Fails where two lists do not hold the same texts. */
export function sameKeys(what: string, actual: readonly string[], expected: readonly string[]): void {
  same(what, [...actual].sort().join(" "), [...expected].sort().join(" "));
}

export function keysOf(messages: readonly { readonly key: string }[]): string[] {
  return messages.map(({ key }) => key);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    Object(inner) === inner && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );
}
