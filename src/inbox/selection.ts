import type { OptionChecks } from "../options.ts";
import type { ParkedSelection } from "./inbox.ts";

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
    if (Array.isArray(keys) && keys.every((key) => typeof key === "string")) return { keys };
  }
  throw invalid("selection", "must be one of { keys }, { type } and { all: true }");
}
