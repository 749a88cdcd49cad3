import { same } from "../same.ts";
import type { Statements } from "./trial.ts";

/** What `forget` does. A store without it passes. */
export const forgetting: Statements = {
  "forget, if the store has it, drops a completion": async (trial) => {
    if (!trial.store.forget) return;
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("forgetting it", await trial.store.forget(holder.key), true);
    same("forgetting it again", await trial.store.forget(holder.key), false);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
  },

  "forget, if the store has it, drops a live claim": async (trial) => {
    if (!trial.store.forget) return;
    const [holder, other] = trial.rivals();
    await holder.claim();
    same("forgetting it", await trial.store.forget(holder.key), true);
    same("the former holder's renewal", await holder.renew(), false);
    same("another's claim afterwards", (await other.claim()).status, "claimed");
    same("the former holder's completion", await holder.complete(), "held_by_another");
  },

  "forget, if the store has it, is false without a record": async (trial) => {
    if (!trial.store.forget) return;
    const [, other] = trial.rivals();
    same("forgetting nothing", await trial.store.forget(other.key), false);
    same("a claim afterwards", (await other.claim()).status, "claimed");
  },

  "forget, if the store has it, takes its key literally": async (trial) => {
    if (!trial.store.forget) return;
    const base = trial.key();
    const [holder, other] = trial.rivals(`${base}/evt_1`);
    await holder.claim();
    await holder.complete();
    for (const wildcard of ["/*", "/%", "/evt__", "/evt_?", "/evt_[0-9]", "/", ""]) {
      same(`forgetting "…${wildcard}"`, await trial.store.forget(base + wildcard), false);
    }
    same("the event afterwards", (await other.claim()).status, "completed");
  },
};
