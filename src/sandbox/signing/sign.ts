import { Buffer } from "node:buffer";
import type { MessageToSign, SignatureScheme } from "../../schemes/scheme.ts";
import type { Delivery, Signed } from "../deliveries/delivery.ts";
import { freshSecrets } from "../identifiers.ts";
import type { Random } from "../random.ts";
import { refused } from "../refusal.ts";

/** Twice what schemes tolerate by default. */
const SKEW_MS = 10 * 60_000;

/** The message id of an event, for schemes that sign one: the same in every attempt and for every endpoint. */
export function messageIdOf(eventId: string): string {
  return eventId.replace(/^evt_/, "msg_");
}

/**
 * A fresh secret in a form that the scheme takes.
 *
 * @throws WebhookError `configuration_invalid` for a scheme of the user's own that takes neither `whsec_<base64>` nor hex
 */
export function freshSecret(scheme: SignatureScheme): string {
  const [first, second] = freshSecrets();
  for (const secret of [first, second]) if (canSign(scheme, secret) === true) return secret;
  throw refused("scheme", "takes neither a secret whsec_<base64> nor one in hex; give endpoints a secret");
}

/** @throws WebhookError `configuration_invalid` for a secret with which the scheme cannot sign */
export function checkSecret(scheme: SignatureScheme, secret: string): void {
  const able = canSign(scheme, secret);
  if (able !== true) throw refused("secret", `cannot be used to sign with ${scheme.name}`, able);
}

function canSign(scheme: SignatureScheme, secret: string): true | unknown {
  try {
    scheme.sign({ secret, body: Buffer.of(), messageId: "msg_probe", nowMs: 0 });
    return true;
  } catch (error) {
    return error;
  }
}

/** What an attempt is signed with. */
export interface SigningContext {
  readonly scheme: SignatureScheme;
  readonly secret: string;
  /** The wall clock, which is the one that receivers go by. */
  readonly nowMs: number;
  readonly random: Random;
}

/**
 * Signs the next attempt of a delivery. Where the scheme signs no time, retries carry the headers of the first attempt, unless
 * a fault asks for fresh ones; where it does, old ones would not be accepted.
 */
export function signAttempt(delivery: Delivery, { scheme, secret, nowMs, random }: SigningContext): Signed {
  const isFresh = scheme.signsTimestamp || delivery.faults.includes("fresh_signature");
  if (delivery.signed !== null && !isFresh) return delivery.signed;
  const signedAtMs = nowMs + (isSkewed(delivery, scheme) ? skewMs(random) : 0);
  const message: MessageToSign = {
    ...{ secret, body: delivery.body, nowMs: signedAtMs },
    messageId: messageIdOf(delivery.eventId),
  };
  return { headers: scheme.sign(message), secret, signedAtMs };
}

/** Whether the next attempt is signed by a clock that is wrong. */
export function isSkewed(delivery: Delivery, scheme: SignatureScheme): boolean {
  return scheme.signsTimestamp && delivery.attempts.length === 0 && delivery.faults.includes("clock_skew");
}

function skewMs(random: Random): number {
  return random() < 0.5 ? -SKEW_MS : SKEW_MS;
}
