// Two Redis stores with the two most common flaws of stores. The storm must detect them.
import { setTimeout as pause } from "node:timers/promises";

/** @returns the sound store with the flaw put into it */
export function broken(flaw, sound, redis) {
  return { ...sound, ...FLAWS[flaw](redis) };
}

const keyed = (key) => `bluum:${key}`;

const FLAWS = {
  /** Two round trips: between the read and the write, another process may have read, too. */
  "check-then-set": (redis) => ({
    async claim(key, { token, leaseMs }) {
      const known = await redis.get(keyed(key));
      if (known?.startsWith("done:")) return { status: "completed" };
      if (known && known !== `held:${token}`) return { status: "in_flight", remainingMs: leaseMs };
      await pause(10);
      await redis.set(keyed(key), `held:${token}`, "PX", leaseMs);
      return { status: "claimed" };
    },
  }),

  /** The token is not checked after the claim: a process that lost the event can still complete it. */
  unfenced: (redis) => ({
    async renew(key, { leaseMs }) {
      return (await redis.pexpire(keyed(key), leaseMs)) === 1;
    },
    async complete(key, { token, retentionMs }) {
      await redis.set(keyed(key), `done:${token}`, "PX", retentionMs);
      return "stored";
    },
    async release(key) {
      return (await redis.del(keyed(key))) === 1;
    },
  }),
};
