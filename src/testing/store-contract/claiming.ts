import { same } from "../same.ts";
import { findsInFlight, takes } from "./finds.ts";
import { LONG_MS, type Statements, type Trial } from "./trial.ts";

/** What `claim` does. */
export const claiming: Statements = {
  "a fresh event goes to the first who claims it": async (trial) => {
    const [first, second] = trial.rivals();
    same("the first claim", (await first.claim()).status, "claimed");
    same("the second claim", (await second.claim()).status, "in_flight");
  },

  "a claim on an event in flight learns how long the lease still runs": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await holder.claim(30_000);
    await findsInFlight("another's claim", other, 30_000);
    await findsInFlight("a third's claim, after another's was refused", third, 30_000);
  },

  "a claim repeated by its own token is claimed again, with a fresh lease": async (trial) => {
    const [holder, other] = trial.rivals();
    same("the claim", (await holder.claim(30_000)).status, "claimed");
    same("the same claim again", (await holder.claim(LONG_MS)).status, "claimed");
    const remainingMs = await findsInFlight("another's claim", other, LONG_MS);
    same("the lease is the fresh one", remainingMs > 30_000, true);
  },

  "an expired claim can be taken by another": async (trial) => {
    const [holder, other, third] = trial.rivals();
    await trial.expire(holder);
    await takes("another's claim after it expired", other, trial);
    await findsInFlight("a third's claim after that", third, LONG_MS);
  },

  "an expired claim can be taken again by its own token": async (trial) => {
    const [holder, other] = trial.rivals();
    await trial.expire(holder);
    await takes("its own claim after it expired", holder, trial);
    await findsInFlight("another's claim after that", other, LONG_MS);
  },

  "a completed event is completed for everyone, the token that completed it included": async (trial) => {
    const [holder, other] = trial.rivals();
    await holder.claim();
    await holder.complete();
    same("another's claim", (await other.claim()).status, "completed");
    same("the completing token's claim", (await holder.claim()).status, "completed");
    same("the token that completed it, completing again", await holder.complete(), "stored");
  },

  "different events do not touch one another": async (trial) => {
    const [one, other] = [trial.key(), trial.key()].map((key) => trial.rivals(key)) as [Rivals, Rivals];
    await one[0].claim();
    same("a claim on another event", (await other[0].claim()).status, "claimed");
    await one[0].complete();
    same("the other event, one being completed", (await other[1].claim()).status, "in_flight");
    same("releasing the other event", await other[0].release(), true);
    same("the completed event, the other being released", (await one[1].claim()).status, "completed");
  },
};

type Rivals = ReturnType<Trial["rivals"]>;
