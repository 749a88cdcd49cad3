import { WebhookError } from "../errors.ts";
import type { IsOpen, KnownEvent, KnownEventType } from "./event.ts";

type PrefixOf<Type extends string> = Type extends `${infer Head}.${infer Rest}`
  ? Head | `${Head}.${PrefixOf<Rest>}`
  : never;
type KnownDomain = KnownEvent["domain"];

/** A pattern over known names: a name, a prefix of some and `.*`, or `*` for every event. */
export type KnownPattern = "*" | KnownEventType | `${PrefixOf<KnownEventType>}.*`;

/**
 * The patterns that `on` takes: a {@link KnownPattern}, any pattern in a domain that the catalogue does not have
 * (`"compliance.*"`), a name without a dot (`"push"`), or a `string` that only the run time knows.
 *
 * A name that is missing in a domain of the catalogue counts as misspelt and does not compile, nor does a domain alone (`"order"`; write
 * `"order.*"`). If Bluum does send it, merge it into {@link BluumEventMap}.
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
 * How many segments may stand before `.*`. Names have two or three; the bound keeps the cost of a dispatch flat, whatever
 * the name. An exact name may have any number.
 */
export const MAX_WILDCARD_DEPTH = 16;

/** One segment of a name: nothing that separates, stands for something else, or cannot be seen. */
const SEGMENT = /^[^.*\s\p{Cc}]+$/u;

/**
 * Checks a pattern as `on` takes it: an exact name (`order.filled`, or `push` without a dot), everything below a prefix (`order.*`,
 * `transfer.deposit.*`), or every event (`*`). `order.*` stands for names of any depth below `order`, not for `order` itself.
 *
 * @throws WebhookError `registration_refused`, naming the pattern and the forms that are allowed
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
 * The patterns that match an event's name, the most general first: `*`, `transfer.*`, `transfer.deposit.*`,
 * `transfer.deposit.completed`. Look each of them up instead of trying every registered pattern.
 *
 * @param type the name as it was sent, which may be anything: the list never has more than {@link MAX_WILDCARD_DEPTH} + 2 entries
 */
export function patternsMatching(type: string): string[] {
  const patterns = ["*"];
  let dot = type.indexOf(".");
  for (let depth = 1; dot !== -1 && depth <= MAX_WILDCARD_DEPTH; depth++) {
    patterns.push(`${type.slice(0, dot)}.*`);
    dot = type.indexOf(".", dot + 1);
  }
  // A name that was sent as "order.*" must not count twice.
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
