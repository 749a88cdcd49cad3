import type { Attempt, Delivery, Signed } from "./deliveries.ts";
import { connectionFault } from "./faults.ts";
import { forge } from "./forgeries.ts";
import { isSkewed, messageIdOf, type SigningContext, signAttempt } from "./signing.ts";

/** What an attempt is made with. */
export interface AttemptContext extends SigningContext {
  /** What the sandbox's clock shows. */
  readonly at: number;
}

/** Makes the next attempt of a delivery: signed, or forged, and not sent yet. The first signature is remembered. */
export function newAttempt(delivery: Delivery, context: AttemptContext): Attempt {
  const fault = faultOf(delivery, context);
  const signed = signAttempt(delivery, context);
  delivery.signed ??= signed;
  return {
    ...{ at: context.at, fault, ...forged(delivery, signed, context), headers: [] },
    ...{ latencyMs: null, status: null, error: null, answer: null },
  };
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
