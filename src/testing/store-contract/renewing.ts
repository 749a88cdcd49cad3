import { same } from "../same.ts";
import { findsInFlight, takes } from "./finds.ts";
import { LONG_MS, SHORT_MS, type Statements } from "./trial.ts";

/** What `renew` does, and must not do. */
export const renewing: Statements = {
  "a renewal by the holder counts from now, with its own term": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim(30_000);
    same("the holder's renewal", await holder.renew(LONG_MS), true);
    const remainingMs = await findsInFlight("another's claim", other, LONG_MS);
    same("the lease is the renewed one", remainingMs > 30_000, true);
    same("the same renewal again", await holder.renew(LONG_MS), true);
  },

  "a renewed claim outlives its first term": async (trial) => {
    for (const term of trial.terms) {
      const [holder, other] = trial.rivals();
      const startedAt = performance.now();
      await holder.claim(term);
      const renewed = await holder.renew();
      if (!renewed && performance.now() - startedAt >= term) continue;
      same("the holder's renewal, in time", renewed, true);
      await trial.elapse(term);
      await findsInFlight("another's claim after the first term", other, LONG_MS);
      return;
    }
    throw new Error("no renewal came in time: the store took longer for a claim and a renewal than the longest term");
  },

  "a renewal by another token is refused and changes nothing": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim(30_000);
    same("another's renewal", await other.renew(LONG_MS), false);
    await findsInFlight("a third's claim, with the holder's own lease", third, 30_000);
    same("the holder's renewal afterwards", await holder.renew(), true);
  },

  "a renewal without a claim is refused and creates nothing": async (trial) => {
    const [stranger, other] = trial.rivals();
    same("a renewal of nothing", await stranger.renew(), false);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
  },

  "a renewal after a release is refused and creates nothing": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.release();
    same("the renewal", await holder.renew(), false);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
  },

  "a renewal does not revive an expired claim": async (trial) => {
    const [holder, other] = trial.rivals();
    await trial.expire(holder);
    same("the renewal after it expired", await holder.renew(), false);
    await takes("another's claim after it expired", other, trial);
  },

  "a renewal does not touch a completed event": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("the completing token's renewal", await holder.renew(), false);
    same("another's renewal", await other.renew(), false);
    same("the event afterwards", (await third.claim()).status, "completed");
  },

  "a renewal does not prolong a completed event's retention": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete(SHORT_MS);
    same("the renewal", await holder.renew(LONG_MS), false);
    await trial.elapse(SHORT_MS);
    await takes("another's claim after the retention", other, trial);
  },
};
