/**
 * The bodies that are sent. Whatever of them arrives whole is a ping or no event at all, so no receiver ever claims one.
 */

const NAME = '"event":"bluum-webhooks.ping"';

/** Without anything that a JSON parser and printer would change. */
export const PLAIN: string = `{${NAME}}`;

/** With all that they would. */
export const PING =
  '{ "event": "bluum-webhooks.ping", "data": { "amount": 10.00, "price": 1e2, "name": "caf\\u00e9 é ☃", "path": "a\\/b" } }';

/** Begins like a ping and is no JSON. */
export const BROKEN: string = `{${NAME}`;

/** What of a body can be lost on its way. */
export type Fragile = "spaces" | "numbers" | "escapes" | "letters" | "length";

/** Bodies that have one of these, and arrive whole where it is kept. */
export const FRAGILE: Readonly<Record<Fragile, string>> = {
  spaces: '{ "event": "bluum-webhooks.ping" }',
  numbers: `{${NAME},"data":{"amount":10.00}}`,
  escapes: `{${NAME},"data":{"name":"caf\\u00e9","path":"a\\/b"}}`,
  letters: `{${NAME},"data":{"name":"é☃"}}`,
  length: pingOf(new TextEncoder().encode(PING).length),
};

/** A plain ping of so many bytes. */
export function pingOf(bytes: number): string {
  const frame = `{${NAME},"padding":""}`;
  return `${frame.slice(0, -2)}${"0123456789".repeat(Math.ceil(bytes / 10)).slice(0, Math.max(0, bytes - frame.length))}"}`;
}
