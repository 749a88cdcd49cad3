import type { ClaimResult, CompleteResult } from "../store.ts";
import type { Row } from "./client.ts";
import type { Contention } from "./contention.ts";

/** What `claim` answered. */
export function claimResult([row]: readonly Row[]): ClaimResult | Contention {
  switch (row?.answer) {
    case "claimed":
    case "completed":
      return { status: row.answer };
    case "in_flight":
      return { status: "in_flight", remainingMs: Math.max(1, Number(row.remaining_ms)) };
    case "raced":
    case "locked":
      return row.answer;
    default:
      throw unexpectedRows();
  }
}

/** What `complete` answered. */
export function completeResult([row]: readonly Row[]): CompleteResult | Contention {
  switch (row?.answer) {
    case "stored":
    case "held_by_another":
    case "completed_by_another":
    case "raced":
      return row.answer;
    default:
      throw unexpectedRows();
  }
}

/** Whether `release` or `forget` deleted a record that had not expired. */
export function wasLive([row]: readonly Row[]): boolean {
  return row?.live === true;
}

/** For an answer that must not count as a claim or a completion. */
function unexpectedRows(): Error {
  return new Error("the client returned rows that the statement does not have");
}
