import type { ClaimResult } from "../../stores/store.ts";
import { holds, same } from "./same.ts";
import type { Contender, Trial } from "./trial.ts";

type InFlight = Extract<ClaimResult, { status: "in_flight" }>;

/** Insists that a contender finds the event in flight, for no longer than `atMostMs`; gives the time that is left. */
export async function findsInFlight(what: string, contender: Contender, atMostMs: number): Promise<number> {
  const found = await contender.claim();
  same(what, found.status, "in_flight");
  const { remainingMs } = found as InFlight;
  holds(`${what}: 0 < remainingMs (${remainingMs}) <= ${atMostMs}`, remainingMs > 0 && remainingMs <= atMostMs);
  return remainingMs;
}

/** Insists that a contender gets the event, now or as soon as the store's clock has caught up. */
export async function takes(what: string, contender: Contender, trial: Trial): Promise<void> {
  const { status } = await trial.until(contender.claim, (found) => found.status === "claimed");
  same(what, status, "claimed");
}
