import type { RejectionCode } from "../errors.ts";
import { acquire, type Claim, type ClaimSettings, type NotAcquired } from "./claim.ts";
import { handlerKey } from "./identity.ts";
import type { Settled } from "./outcome.ts";

/** Why the receiver itself stopped the handlers of an event. What handlers throw is never one of these. */
export class Interruption {
  readonly code: RejectionCode;
  readonly cause: unknown;
  constructor(code: RejectionCode, cause?: unknown) {
    this.code = code;
    this.cause = cause;
  }
}

/**
 * Claims one handler's run of an event, under which its success is remembered.
 *
 * @param key the event's key in the store
 * @param handler the handler's name
 * @throws Interruption `store_unavailable`
 */
export async function claimHandler(
  key: string,
  handler: string,
  settings: ClaimSettings,
): Promise<Claim | NotAcquired> {
  try {
    return await acquire(handlerKey(key, handler), settings);
  } catch (error) {
    settings.log.error("store_unavailable", "store_unavailable: the store failed to claim a handler's run", error);
    throw new Interruption("store_unavailable", error);
  }
}

/**
 * Runs a handler and settles its claim.
 *
 * @throws what the handler threw, or an Interruption if its success does not count
 */
export async function runAndSettle(claim: Claim, run: () => unknown): Promise<Settled> {
  try {
    await run();
  } catch (thrown) {
    await claim.settle("failed");
    throw thrown;
  }
  const settled = await claim.settle("processed");
  if (settled === "held_by_another") throw new Interruption("event_in_flight");
  if (settled === "rolled_back") throw new Interruption("completion_rolled_back");
  return settled;
}
