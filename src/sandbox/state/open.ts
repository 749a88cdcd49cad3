import type { SqliteDatabase } from "../../stores/sqlite/database.ts";
import { checks } from "../checks.ts";
import { fileState } from "./file.ts";
import { sqliteState } from "./sqlite.ts";
import { noState, type State } from "./state.ts";

/** Where the state is stored; memory only if both are missing. */
export interface StateOptions {
  readonly statePath?: string;
  readonly database?: SqliteDatabase;
}

/**
 * Opens the state that the options name.
 *
 * @throws WebhookError `configuration_invalid` if both are given, or the state cannot be used
 */
export async function openState({ statePath, database }: StateOptions): Promise<State> {
  if (database !== undefined && statePath !== undefined) {
    throw checks.invalid("database", "and statePath exclude each other");
  }
  if (database !== undefined) return sqliteState(database);
  return statePath === undefined ? noState() : fileState(statePath);
}
