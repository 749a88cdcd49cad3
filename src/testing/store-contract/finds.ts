import type { ClaimResult } from "../../stores/store.ts";
import { holds, same } from "../same.ts";
import type { Contender, Trial } from "./trial.ts";

type InFlight = Extract<ClaimResult, { status: "in_flight" }>;

/** Fails if a contender does not find the event in flight for at most `atMostMs`; returns the time that is left. */
export async function findsInFlight(what: string, contender: Contender, atMostMs: number): Promise<number> {
  const found = await contender.claim();
  same(what, found.status, "in_flight");
  const { remainingMs } = found as InFlight;
  holds(`${what}: 0 < remainingMs (${remainingMs}) <= ${atMostMs}`, remainingMs > 0 && remainingMs <= atMostMs);
  return remainingMs;
}

/** Fails if a contender does not get the event, now or once the store's clock has caught up. */
export async function takes(what: string, contender: Contender, trial: Trial): Promise<void> {
  const { status } = await trial.until(contender.claim, (found) => found.status === "claimed");
  same(what, status, "claimed");
}
