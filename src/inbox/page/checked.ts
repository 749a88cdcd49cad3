import type { Fields } from "../../page/server/json-body.ts";
import { Refused } from "../../page/server/refused.ts";
import type { ParkedSelection } from "../inbox.ts";

/** The longest key, type or cursor, in characters. */
const MAX_TEXT = 1_024;
/** How many events one action may name. */
const MAX_KEYS = 1_000;

/** A text of the query; undefined if it is missing or empty. @throws Refused */
export function checkedText(name: string, text: string | null): string | undefined {
  if (text === null || text === "") return undefined;
  if (text.length > MAX_TEXT) throw invalid(name, `must have at most ${MAX_TEXT} characters`);
  return text;
}

/** The key of one event. @throws Refused */
export function checkedKey(text: string | null): string {
  const key = checkedText("key", text);
  if (key === undefined) throw invalid("key", "is missing");
  return key;
}

/** Which events an action is for: exactly one of `keys`, `type` and `all`. @throws Refused */
export function checkedSelection(fields: Fields): ParkedSelection {
  const [name, ...others] = Object.keys(fields);
  const { keys, type, all } = fields;
  if (others.length === 0) {
    if (name === "all" && all === true) return { all };
    if (name === "type" && isName(type)) return { type };
    if (name === "keys" && Array.isArray(keys) && keys.length > 0 && keys.length <= MAX_KEYS && keys.every(isName)) {
      return { keys };
    }
  }
  throw invalid("The body", `must be { keys } with 1 to ${MAX_KEYS} keys, { type }, or { all: true }`);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT;
}

function invalid(name: string, problem: string): Refused {
  return new Refused(400, "invalid", `${name} ${problem}.`);
}
