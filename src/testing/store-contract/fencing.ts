import { same } from "../same.ts";
import { findsInFlight, takes } from "./finds.ts";
import { LONG_MS, type Statements, type Trial } from "./trial.ts";

/** What a token can no longer do once its claim is lost. */
export const fencing: Statements = {
  "a lost claim cannot be completed while another holds the event": async (trial) => {
    const [stale, owner, third] = await takenOver(trial);
    same("the stale completion", await stale.complete(), "held_by_another");
    await findsInFlight("a third's claim afterwards", third, LONG_MS);
    same("the owner's completion", await owner.complete(), "stored");
  },

  "a lost claim cannot be renewed": async (trial) => {
    const [stale, owner] = await takenOver(trial);
    same("the stale renewal", await stale.renew(), false);
    same("the owner's renewal", await owner.renew(), true);
  },

  "a lost claim cannot be released": async (trial) => {
    const [stale, owner, third] = await takenOver(trial);
    same("the stale release", await stale.release(), false);
    await findsInFlight("a third's claim afterwards", third, LONG_MS);
    same("the owner's renewal", await owner.renew(), true);
  },

  "a lost claim cannot be claimed back": async (trial) => {
    const [stale, owner] = await takenOver(trial);
    await findsInFlight("the stale claim", stale, LONG_MS);
    same("the owner's renewal", await owner.renew(), true);
  },

  "a lost claim counts for nothing once its new owner has completed the event": async (trial) => {
    const [stale, owner, third] = await takenOver(trial);
    same("the owner's completion", await owner.complete(), "stored");
    same("the stale completion", await stale.complete(), "completed_by_another");
    same("the stale renewal", await stale.renew(), false);
    same("the stale release", await stale.release(), false);
    same("the event afterwards", (await third.claim()).status, "completed");
    same("the owner's completion, repeated", await owner.complete(), "stored");
  },
};

/** An event whose first claim expired and was taken by a second token. */
async function takenOver(trial: Trial): Promise<ReturnType<Trial["rivals"]>> {
  const rivals = trial.rivals();
  await trial.expire(rivals[0]);
  await takes("the take-over", rivals[1], trial);
  return rivals;
}
