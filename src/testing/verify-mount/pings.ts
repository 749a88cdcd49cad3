/**
 * The bodies of the probes. Each is a ping or not an event at all, so no receiver ever claims one.
 */

const NAME = '"event":"bluum-webhooks.ping"';

/** A ping that does not change when JSON is parsed and printed again. */
export const PLAIN: string = `{${NAME}}`;

/** A ping with everything that changes when JSON is parsed and printed again. */
export const PING =
  '{ "event": "bluum-webhooks.ping", "data": { "amount": 10.00, "price": 1e2, "name": "caf\\u00e9 é ☃", "path": "a\\/b" } }';

/** Begins like a ping, but is not JSON. */
export const BROKEN: string = `{${NAME}`;

/** A feature of a body that can be lost on the way to the receiver. */
export type Fragile = "spaces" | "numbers" | "escapes" | "letters" | "length";

/** For each feature, a ping that has only this one. */
export const FRAGILE: Readonly<Record<Fragile, string>> = {
  spaces: '{ "event": "bluum-webhooks.ping" }',
  numbers: `{${NAME},"data":{"amount":10.00}}`,
  escapes: `{${NAME},"data":{"name":"caf\\u00e9","path":"a\\/b"}}`,
  letters: `{${NAME},"data":{"name":"é☃"}}`,
  length: pingOf(new TextEncoder().encode(PING).length),
};

/** A plain ping of `bytes` bytes, or as few as a ping can have. */
export function pingOf(bytes: number): string {
  const frame = `{${NAME},"padding":""}`;
  return `${frame.slice(0, -2)}${"0123456789".repeat(Math.ceil(bytes / 10)).slice(0, Math.max(0, bytes - frame.length))}"}`;
}
