import { type DeliveryHeaders, plainHeaders } from "../delivery.ts";
import { ClaimedContext } from "../stores/transaction.ts";
import type { Claim } from "./claim.ts";
import type { DeliveryContext, IdentifiedBy } from "./outcome.ts";

/** What is known of a delivery beside its event and its claim. */
export type DeliveryFacts = Omit<DeliveryContext, "signal" | "deduplicated" | "headers"> & {
  readonly headers: DeliveryHeaders;
};

/** The context of a delivery, or of one of its handlers. The signal is always the delivery's. */
export class HandlerContext extends ClaimedContext implements DeliveryContext {
  readonly eventId: string;
  readonly eventKey: string;
  readonly identifiedBy: IdentifiedBy;
  readonly rawBody: Uint8Array;
  readonly receivedAt: Date;
  readonly secretIndex: number;
  readonly deduplicated: boolean;
  readonly attempt: DeliveryContext["attempt"];
  readonly #headers: DeliveryHeaders;
  readonly #delivery: Claim;

  /** @param claim the claim that `completeIn` completes: the delivery's, or the handler's own */
  constructor(facts: DeliveryFacts, delivery: Claim, claim: Claim) {
    super(claim);
    this.eventId = facts.eventId;
    this.eventKey = facts.eventKey;
    this.identifiedBy = facts.identifiedBy;
    this.rawBody = facts.rawBody;
    this.receivedAt = facts.receivedAt;
    this.secretIndex = facts.secretIndex;
    this.deduplicated = delivery.held;
    this.attempt = facts.attempt;
    this.#headers = facts.headers;
    this.#delivery = delivery;
  }

  get headers(): Readonly<Record<string, string>> {
    return plainHeaders(this.#headers);
  }

  get signal(): AbortSignal {
    return this.#delivery.signal;
  }
}
