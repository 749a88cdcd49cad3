import { forge } from "../signing/forgeries.ts";
import { isSkewed, messageIdOf, type SigningContext, signAttempt } from "../signing/sign.ts";
import type { Attempt, Delivery, Signed } from "./delivery.ts";
import { connectionFault } from "./faults.ts";

/** What an attempt is made with. */
export interface AttemptContext extends SigningContext {
  /** What the sandbox's clock shows. */
  readonly at: number;
}

/**
 * Makes the next attempt of a delivery: signed, or forged, and not sent yet. The first signature is remembered. A scheme that throws
 * is the attempt's error.
 */
export function newAttempt(delivery: Delivery, context: AttemptContext): Attempt {
  return {
    ...{ at: context.at, fault: faultOf(delivery, context), headers: [], latencyMs: null, status: null, answer: null },
    ...made(delivery, context),
  };
}

type Made = Pick<Attempt, "signed" | "body" | "error">;

function made(delivery: Delivery, context: AttemptContext): Made {
  try {
    const signed = signAttempt(delivery, context);
    delivery.signed ??= signed;
    return { ...forged(delivery, signed, context), error: null };
  } catch (error) {
    const { secret, nowMs: signedAtMs } = context;
    const reason = error instanceof Error ? error.message : String(error);
    return { signed: { headers: {}, secret, signedAtMs }, body: null, error: `could not be signed: ${reason}` };
  }
}

/** What is done to this attempt on purpose. */
function faultOf(delivery: Delivery, { scheme }: AttemptContext): string | null {
  if (delivery.forgery !== null) return delivery.forgery;
  if (delivery.attempts.length > 0) return null;
  return connectionFault(delivery.faults) ?? (isSkewed(delivery, scheme) ? "clock_skew" : null);
}

function forged(delivery: Delivery, signed: Signed, { scheme }: AttemptContext): Pick<Attempt, "signed" | "body"> {
  if (delivery.forgery === null) return { signed, body: null };
  const genuine = { scheme, signed, body: delivery.body, messageId: messageIdOf(delivery.eventId) };
  const { body, headers } = forge(delivery.forgery, genuine);
  return { signed: { ...signed, headers }, body };
}
