import { WebhookError } from "../errors.ts";
import type { IsOpen, KnownEvent, KnownEventType } from "./event.ts";

type PrefixOf<Type extends string> = Type extends `${infer Head}.${infer Rest}`
  ? Head | `${Head}.${PrefixOf<Rest>}`
  : never;
type KnownDomain = KnownEvent["domain"];

/** A pattern of known names: a name, a prefix followed by `.*`, or `*` for every event. */
export type KnownPattern = "*" | KnownEventType | `${PrefixOf<KnownEventType>}.*`;

/**
 * The patterns that `on` accepts: a {@link KnownPattern}, any pattern in a domain that the catalogue does not have (`"compliance.*"`), a
 * name without a dot (`"push"`), or a `string` known only at run time.
 *
 * A name that the catalogue lacks, in a domain that it has, counts as misspelt and does not compile; neither does a domain alone
 * (`"order"`: write `"order.*"`). If Bluum does send that name, merge it into {@link BluumEventMap}.
 */
export type Pattern<P extends string> = P extends KnownPattern
  ? P
  : IsOpen<P> extends true
    ? P
    : P extends KnownDomain | `${KnownDomain}.${string}`
      ? KnownPattern
      : P extends `${string}.${string}`
        ? P
        : P extends "" | `${string}*${string}`
          ? KnownPattern
          : P;

/**
 * How many segments a pattern may have before `.*`. Names have two or three; the limit bounds the cost of finding the handlers of any
 * name. An exact name may have any number of segments.
 */
export const MAX_WILDCARD_DEPTH = 16;

/** One segment of a name: no dots, asterisks, white space or control characters. */
const SEGMENT = /^[^.*\s\p{Cc}]+$/u;

/**
 * Checks a pattern given to `on`: an exact name (`order.filled`, or `push` without a dot), everything below a prefix (`order.*`,
 * `transfer.deposit.*`), or every event (`*`). `order.*` matches names of any depth below `order`, but not `order` itself.
 *
 * @throws WebhookError `registration_refused`; the message shows the pattern and the allowed forms
 */
export function assertPattern(pattern: string): void {
  if (isPattern(pattern)) return;
  throw new WebhookError(
    "registration_refused",
    `${shown(pattern)} is not an event pattern. Use an event's name ("order.filled", "push"), a prefix and ".*" ("order.*", ` +
      `"transfer.deposit.*", at most ${MAX_WILDCARD_DEPTH} segments deep), or "*" for every event.`,
  );
}

/**
 * All patterns that match an event's name, the most general first: `*`, `transfer.*`, `transfer.deposit.*`,
 * `transfer.deposit.completed`. The caller looks up each of them instead of testing every registered pattern.
 *
 * @param type the name as it was sent, which may be any text
 * @returns at most {@link MAX_WILDCARD_DEPTH} + 2 patterns
 */
export function patternsMatching(type: string): string[] {
  const patterns = ["*"];
  let dot = type.indexOf(".");
  for (let depth = 1; dot !== -1 && depth <= MAX_WILDCARD_DEPTH; depth++) {
    patterns.push(`${type.slice(0, dot)}.*`);
    dot = type.indexOf(".", dot + 1);
  }
  // A name sent as "order.*" is not a pattern: it must not be listed twice.
  if (!type.includes("*")) patterns.push(type);
  return patterns;
}

function isPattern(pattern: unknown): boolean {
  if (pattern === "*") return true;
  if (typeof pattern !== "string") return false;
  const segments = pattern.split(".");
  const isWildcard = segments.at(-1) === "*";
  if (isWildcard) segments.pop();
  if (isWildcard && segments.length > MAX_WILDCARD_DEPTH) return false;
  return segments.every((segment) => SEGMENT.test(segment));
}

function shown(pattern: unknown): string {
  return typeof pattern === "string" ? JSON.stringify(pattern) : `A value of type ${typeof pattern}`;
}
