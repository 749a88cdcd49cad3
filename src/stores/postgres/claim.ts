import { withTimeout } from "../../async.ts";
import type { ClaimResult, DedupeStore } from "../store.ts";
import type { Ask, Row } from "./client.ts";
import type { PostgresStatements } from "./sql.ts";
import { askWhileContended, type Contention, isContention } from "./waiting.ts";

/** How long a claim asks again before it takes a lock on the row for an answer; less where asking holds connections up. */
const LOCKED_MS = 500;
const WAITED_MS = 150;

/** The verb `claim`. */
export function claimer(
  ask: Ask,
  sql: PostgresStatements,
  timeoutMs: number,
  failed: (task: string, error: unknown) => Error,
): DedupeStore["claim"] {
  const longest = timeoutMs / 2;
  const patience = { raced: longest, locked: Math.min(LOCKED_MS, longest), waited: Math.min(WAITED_MS, longest) };

  async function claimInTurn(key: string, token: string, leaseMs: number): Promise<ClaimResult> {
    const claimOnce = async () => claimResult(await ask(sql.claim, [key, token, leaseMs]));
    const answer = await askWhileContended(patience, claimOnce);
    if (!isContention(answer)) return answer;
    // Somebody is at it, in a transaction that nobody can look into. It may take as long as a lease, or less.
    return { status: "in_flight", remainingMs: Math.max(1, Math.floor(leaseMs)) };
  }

  return async (key, { token, leaseMs }) => {
    try {
      return await withTimeout(claimInTurn(key, token, leaseMs), timeoutMs);
    } catch (error) {
      throw failed("claim the event", error);
    }
  };
}

function claimResult([row]: readonly Row[]): ClaimResult | Contention {
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
      // Never to be taken for a claim.
      throw new Error("the client gave other rows than the statement has");
  }
}
