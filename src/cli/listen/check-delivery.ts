import { diagnosis } from "../../adapter.ts";
import {
  createReceiver,
  type Outcome,
  parseEvent,
  type Receiver,
  type SignatureScheme,
  WebhookError,
} from "../../index.ts";
import { deliveryOf, type ReceivedRequest } from "./read-request.ts";

/** A receiver's outcome for a request, and the event in it. */
export interface CheckedDelivery {
  readonly outcome: Outcome;
  /** The event's name and id. For a rejected delivery they are not verified. */
  readonly type: string | undefined;
  readonly eventId: string | undefined;
  /** For a rejected delivery: the error, the expected headers, and the received ones. */
  readonly diagnosis: readonly string[];
}

/** Checks a request as the app's own receiver does. */
export type CheckDelivery = (request: ReceivedRequest) => Promise<CheckedDelivery>;

/**
 * Returns a check with its own receiver.
 *
 * @throws WebhookError `configuration_invalid` for a secret that the scheme refuses
 */
export function deliveryCheck(secrets: readonly string[], scheme: SignatureScheme): CheckDelivery {
  const receiver: Receiver = createReceiver({ secret: secrets, scheme, logger: false });
  return async function checkDelivery(request) {
    const delivery = deliveryOf(request);
    const outcome = await receiver.receive(delivery);
    const unverified = parseUnverified(request);
    return {
      outcome,
      type: unverified?.type,
      eventId: eventIdOf(outcome) ?? unverified?.id,
      diagnosis: outcome.kind === "rejected" ? diagnosis(outcome.error, delivery, scheme) : [],
    };
  };
}

function eventIdOf(outcome: Outcome): string | undefined {
  if (outcome.kind === "accepted") return outcome.context.eventId;
  return "eventId" in outcome ? outcome.eventId : undefined;
}

function parseUnverified({ body }: ReceivedRequest): ReturnType<typeof parseEvent> | undefined {
  if (body instanceof WebhookError) return undefined;
  try {
    return parseEvent(body);
  } catch {
    return undefined;
  }
}
