import { anyOf } from "../async.ts";
import { type DeliveryHeaders, plainHeaders } from "../delivery.ts";
import { ClaimedContext } from "../stores/transaction.ts";
import type { Claim } from "./claim.ts";
import type { DeliveryContext, IdentifiedBy } from "./outcome.ts";

/** What is known of a delivery beside its event and its claim. */
export type DeliveryFacts = Omit<DeliveryContext, "signal" | "deduplicated" | "headers"> & {
  readonly headers: DeliveryHeaders;
  /** Of a worker of the user's own: aborts the handlers, too. */
  readonly signal?: AbortSignal | undefined;
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
  readonly #outerSignal: AbortSignal | undefined;
  #signal: AbortSignal | undefined;

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
    this.#outerSignal = facts.signal;
  }

  get headers(): Readonly<Record<string, string>> {
    return plainHeaders(this.#headers);
  }

  get signal(): AbortSignal {
    const { signal } = this.#delivery;
    if (this.#outerSignal === undefined) return signal;
    this.#signal ??= anyOf([signal, this.#outerSignal]);
    return this.#signal;
  }
}
