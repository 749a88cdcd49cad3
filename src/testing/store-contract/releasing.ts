import { same } from "../same.ts";
import { findsInFlight } from "./finds.ts";
import { LONG_MS, type Statements } from "./trial.ts";

/** What `release` does. */
export const releasing: Statements = {
  "a released event can be claimed by another at once": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    same("the release", await holder.release(), true);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
  },

  "a released event can be claimed again by its own token": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.release();
    same("the claim afterwards", (await holder.claim()).status, "claimed");
    await findsInFlight("another's claim after that", other, LONG_MS);
  },

  "a release by another token is refused and changes nothing": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim();
    same("another's release", await other.release(), false);
    await findsInFlight("a third's claim afterwards", third, LONG_MS);
    same("the holder's renewal afterwards", await holder.renew(), true);
  },

  "a release without a claim is refused": async (trial) => {
    const [stranger, other] = trial.rivals();
    same("a release of nothing", await stranger.release(), false);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
  },

  "a release of a completed event is refused and keeps it": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("the completing token's release", await holder.release(), false);
    same("another's release", await other.release(), false);
    same("the event afterwards", (await other.claim()).status, "completed");
  },

  "a release repeated does not disturb the next holder": async (trial) => {
    const [holder, next, third] = trial.rivals();
    await holder.claim();
    same("the release", await holder.release(), true);
    same("the same release again", await holder.release(), false);
    await next.claim();
    same("the same release, another holding the event", await holder.release(), false);
    await findsInFlight("a third's claim afterwards", third, LONG_MS);
  },
};
