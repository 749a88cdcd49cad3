import { sleep } from "../../async.ts";
import { sqlState } from "./errors.ts";

/**
 * Why a statement gave no answer: `raced`, others changed the event while it ran, and the next snapshot will show it; `locked`,
 * somebody has its row locked, for as long as their transaction takes; `waited`, the same, and it held a connection meanwhile.
 */
export type Contention = "raced" | "locked" | "waited";

/** How long to ask again, by the reason why, in milliseconds. */
export type Patience = Readonly<Record<Contention, number>>;

/** could not serialize, deadlock detected, lock not available */
const CONTENTIONS: ReadonlyMap<unknown, Contention> = new Map([
  ["40001", "raced"],
  ["40P01", "raced"],
  ["55P03", "waited"],
]);
const LONGEST_PAUSE_MS = 40;

/** Whether an answer is none yet. */
export function isContention(answer: unknown): answer is Contention {
  return answer === "raced" || answer === "locked" || answer === "waited";
}

/**
 * Asks, and asks again for a while where others were at the same row: at once at first, since whoever was in the way has mostly
 * just committed. In between no connection is held.
 *
 * @returns the contention where it lasts
 */
export async function askWhileContended<Answer>(
  patience: Patience,
  ask: () => Promise<Answer | Contention>,
): Promise<Answer | Contention> {
  const since = performance.now();
  for (let pauseMs = 0; ; pauseMs = Math.min(2 * pauseMs + 2, LONGEST_PAUSE_MS)) {
    const answer = await ask().catch(contention);
    if (!isContention(answer) || performance.now() - since >= patience[answer]) return answer;
    if (pauseMs > 0) await sleep(pauseMs * (0.5 + Math.random()));
  }
}

function contention(error: unknown): Contention {
  const found = CONTENTIONS.get(sqlState(error));
  if (found === undefined) throw error;
  return found;
}
