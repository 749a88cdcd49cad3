import type { SignatureScheme } from "../../schemes/scheme.ts";
import type { Random } from "../random.ts";
import { forge } from "../signing/forgeries.ts";
import { messageIdOf, type Signed } from "../signing/signed.ts";
import type { Attempt, Delivery } from "./delivery.ts";
import { connectionFault } from "./faults.ts";

/** Twice the tolerance that schemes have by default. */
const SKEW_MS = 10 * 60_000;

/** What an attempt is made with. */
export interface AttemptContext {
  readonly scheme: SignatureScheme;
  readonly secret: string;
  /** By the sandbox's clock. */
  readonly at: number;
  /** By the wall clock, which receivers use to check timestamps. */
  readonly nowMs: number;
  readonly random: Random;
}

/**
 * Makes the next attempt of a delivery, signed or forged, ready to be sent. The first signature is stored on the delivery. If the
 * scheme throws, the attempt has an `error` and is not sent.
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

/**
 * Signs the next attempt. If the scheme signs no timestamp, retries carry the headers of the first attempt, unless a fault asks for
 * fresh ones. If it signs one, every attempt is signed again: an old timestamp would be rejected.
 */
function signAttempt(delivery: Delivery, { scheme, secret, nowMs, random }: AttemptContext): Signed {
  const isFresh = scheme.signsTimestamp || delivery.faults.includes("fresh_signature");
  if (delivery.signed !== null && !isFresh) return delivery.signed;
  const signedAtMs = nowMs + (isSkewed(delivery, scheme) ? skewMs(random) : 0);
  const message = { secret, body: delivery.body, messageId: messageIdOf(delivery.eventId), nowMs: signedAtMs };
  return { headers: scheme.sign(message), secret, signedAtMs };
}

/** The fault of this attempt; for a forged delivery, the kind of forgery. */
function faultOf(delivery: Delivery, { scheme }: AttemptContext): string | null {
  if (delivery.forgery !== null) return delivery.forgery;
  if (delivery.attempts.length > 0) return null;
  return connectionFault(delivery.faults) ?? (isSkewed(delivery, scheme) ? "clock_skew" : null);
}

/** Whether the next attempt is signed with a wrong time. */
function isSkewed(delivery: Delivery, scheme: SignatureScheme): boolean {
  return scheme.signsTimestamp && delivery.attempts.length === 0 && delivery.faults.includes("clock_skew");
}

function skewMs(random: Random): number {
  return random() < 0.5 ? -SKEW_MS : SKEW_MS;
}

function forged(delivery: Delivery, signed: Signed, { scheme }: AttemptContext): Pick<Attempt, "signed" | "body"> {
  if (delivery.forgery === null) return { signed, body: null };
  const genuine = { scheme, signed, body: delivery.body, messageId: messageIdOf(delivery.eventId) };
  const { body, headers } = forge(delivery.forgery, genuine);
  return { signed: { ...signed, headers }, body };
}
