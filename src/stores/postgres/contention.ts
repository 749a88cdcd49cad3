import { sleep } from "../../async.ts";
import { sqlState } from "./errors.ts";

/**
 * Why a statement could not decide. `raced`: others changed the row while it ran, and the next snapshot shows the change.
 * `locked`: an open transaction holds the lock of the row.
 */
export type Contention = "raced" | "locked";

/** SQLSTATEs: could not serialize, deadlock detected, lock not available. */
const CONTENTIONS: ReadonlyMap<unknown, Contention> = new Map([
  ["40001", "raced"],
  ["40P01", "raced"],
  ["55P03", "locked"],
]);
const MAX_PAUSE_MS = 40;

/** Whether an answer is a contention. */
export function isContention(answer: unknown): answer is Contention {
  return answer === "raced" || answer === "locked";
}

/**
 * Asks, and asks again while others contend for the row: at once the first time, since the other has usually just committed. It
 * holds no connection in between.
 *
 * @param patienceMs how long to ask again, by kind of contention, in milliseconds
 * @returns the answer, or the contention if it lasts
 */
export async function askWhileContended<Answer>(
  patienceMs: Readonly<Record<Contention, number>>,
  ask: () => Promise<Answer | Contention>,
): Promise<Answer | Contention> {
  const startedAt = performance.now();
  for (let pauseMs = 0; ; pauseMs = Math.min(2 * pauseMs + 2, MAX_PAUSE_MS)) {
    const answer = await ask().catch(contentionOf);
    if (!isContention(answer) || performance.now() - startedAt >= patienceMs[answer]) return answer;
    if (pauseMs > 0) await sleep(pauseMs * (0.5 + Math.random()));
  }
}

function contentionOf(error: unknown): Contention {
  const contention = CONTENTIONS.get(sqlState(error));
  if (contention === undefined) throw error;
  return contention;
}
