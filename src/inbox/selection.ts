import type { OptionChecks } from "../options.ts";
import type { ParkedQuery, ParkedSelection } from "./inbox.ts";

/** Which parked events are meant: those with these keys, those of this type, or all. */
export interface Selection {
  readonly keys?: readonly string[];
  readonly type?: string;
}

/**
 * Checks which parked events to redrive or discard. Nothing is taken for "all" but `{ all: true }`.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function selectionOf({ invalid }: OptionChecks, selection: ParkedSelection): Selection {
  const { keys, type, all, ...others } = Object(selection) as Record<string, unknown>;
  const given = [keys, type, all].filter((value) => value !== undefined).length;
  if (given === 1 && Object.keys(others).length === 0) {
    if (all === true) return {};
    if (typeof type === "string" && type !== "") return { type };
    if (isTexts(keys)) return { keys };
  }
  throw invalid("selection", "must be one of { keys }, { type } and { all: true }");
}

/** The most keys that one page may be asked for. */
const MAX_KEYS = 1_000;

/** A query of parked events with its default. */
export interface CheckedQuery extends Selection {
  readonly limit: number;
  readonly cursor: string | undefined;
}

/**
 * Checks which parked events to list. The cursor is the engine's to check.
 *
 * @throws WebhookError `configuration_invalid`
 */
export function queryOf(checks: OptionChecks, query: ParkedQuery = {}): CheckedQuery {
  checks.names(query, ["type", "keys", "limit", "cursor"]);
  const { type, keys, limit = 100, cursor } = query;
  checks.integer("limit", limit, 1, 1_000);
  for (const [name, text] of Object.entries({ type, cursor }))
    if (text !== undefined && typeof text !== "string") throw checks.invalid(name, "must be a text");
  if (keys !== undefined && !isTexts(keys)) throw checks.invalid("keys", "must be a list of texts");
  if (keys !== undefined && keys.length > MAX_KEYS) throw checks.invalid("keys", `must be at most ${MAX_KEYS}`);
  return { ...(type !== undefined && { type }), ...(keys !== undefined && { keys }), limit, cursor };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
