import { same } from "../same.ts";
import { findsInFlight, takes } from "./finds.ts";
import { LONG_MS, SHORT_MS, type Statements } from "./trial.ts";

/** What `complete` does. */
export const completing: Statements = {
  "a completion by the holder is stored": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    same("the completion", await holder.complete(), "stored");
    same("another's claim afterwards", (await other.claim()).status, "completed");
  },

  "a completion repeated by its own token is stored": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("the same completion again", await holder.complete(), "stored");
    same("the event afterwards", (await other.claim()).status, "completed");
  },

  "a completion is refused while another token holds the event": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim();
    same("another's completion", await other.complete(), "held_by_another");
    await findsInFlight("a third's claim afterwards", third, LONG_MS);
    same("the holder's renewal afterwards", await holder.renew(), true);
    same("the holder's completion afterwards", await holder.complete(), "stored");
  },

  "a completion is refused once another token has completed the event": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("another's completion", await other.complete(), "completed_by_another");
    same("the completing token's repetition afterwards", await holder.complete(), "stored");
  },

  "a completion of an expired claim that no other token took is stored": async (trial) => {
    const [holder, other] = trial.rivals();
    await trial.expire(holder);
    same("the completion after it expired", await holder.complete(), "stored");
    same("another's claim afterwards", (await other.claim()).status, "completed");
  },

  "a completion of a released event is stored": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.release();
    same("the completion", await holder.complete(), "stored");
    same("another's claim afterwards", (await other.claim()).status, "completed");
  },

  "a completion outlives the lease of its claim": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim(SHORT_MS);
    await holder.complete();
    await trial.elapse(SHORT_MS);
    same("another's claim after the lease", (await other.claim()).status, "completed");
  },

  "an event may be claimed again when its retention has expired": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim();
    await holder.complete(SHORT_MS);
    await trial.elapse(SHORT_MS);
    await takes("another's claim after the retention", other, trial);
    await findsInFlight("a third's claim after that", third, LONG_MS);
    same("the former completer's completion", await holder.complete(), "held_by_another");
  },
};
