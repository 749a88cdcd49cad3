import type { DedupeStore } from "../../../src/index.ts";

/** A store that grants every claim, and has lost it to another process when the event is completed. */
export const lostClaims: DedupeStore = {
  claim: async () => ({ status: "claimed" }),
  renew: async () => true,
  complete: async () => "held_by_another",
  release: async () => true,
};
