// Two inboxes with the two most common flaws of queues. The storm must detect them.
import { setTimeout as pause } from "node:timers/promises";

/** @returns the sound inbox with the flaw put into it */
export function brokenInbox(flaw, sound) {
  return { ...sound, ...FLAWS[flaw](sound) };
}

const FLAWS = {
  /** An event is answered 2xx while it is only in memory: what happens before it is stored loses it. */
  "ack-before-store": (sound) => ({
    async add(...given) {
      pause(200)
        .then(() => sound.add(...given))
        .catch(() => {});
      return "added";
    },
  }),

  /** A message is acknowledged as soon as it is taken: an attempt that fails, or dies, is the last one. */
  "forgets-attempts": (sound) => ({
    work: (process, options) =>
      sound.work(async (...given) => {
        process(...given).catch(() => {});
      }, options),
  }),
};
