import {
  type BluumEvent,
  createReceiver,
  diagnosis,
  type Outcome,
  parseEvent,
  type Receiver,
  type SignatureScheme,
  WebhookError,
} from "../../index.ts";
import { type Arrival, deliveryOf } from "./read-request.ts";

/** What a receiver makes of an arrival. */
export interface Judgement {
  readonly outcome: Outcome;
  /** The event's name and id; of a refused delivery what it claims, which nobody has verified. */
  readonly type: string | undefined;
  readonly eventId: string | undefined;
  /** Under a refused one: what is wrong, what was looked for, what came. */
  readonly diagnosis: readonly string[];
}

/** Judges one arrival after the other, as the app's own receiver would. */
export type Judge = (arrival: Arrival) => Promise<Judgement>;

/**
 * Makes a judge with a receiver of its own.
 *
 * @throws WebhookError `configuration_invalid` for a secret that the scheme refuses
 */
export function judgeBy(secrets: readonly string[], scheme: SignatureScheme): Judge {
  const receiver: Receiver = createReceiver({ secret: secrets, scheme, logger: false });
  return async function judge(arrival) {
    const delivery = deliveryOf(arrival);
    const outcome = await receiver.receive(delivery);
    const claimed = claimedEvent(arrival);
    return {
      outcome,
      type: claimed?.type,
      eventId: eventIdOf(outcome) ?? claimed?.id,
      diagnosis: outcome.kind === "rejected" ? diagnosis(outcome.error, delivery, scheme) : [],
    };
  };
}

function eventIdOf(outcome: Outcome): string | undefined {
  if (outcome.kind === "accepted") return outcome.context.eventId;
  return "eventId" in outcome ? outcome.eventId : undefined;
}

function claimedEvent({ body }: Arrival): BluumEvent | undefined {
  if (body instanceof WebhookError) return undefined;
  try {
    return parseEvent(body);
  } catch {
    return undefined;
  }
}
