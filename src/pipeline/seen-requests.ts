import type { AcceptedOutcome } from "./outcome.ts";

const SEEN: unique symbol = Symbol("bluum-webhooks: accepted");

/** A request, with what was noted on it. */
type SeenRequest = { [SEEN]?: Note | undefined };

/**
 * Stores the outcome on the request, so that a double mount gets the same one although the body is drained. A property, since a
 * WeakMap that is keyed by requests costs more than the rest of a delivery. Printing the request shows an empty object.
 */
class Note {
  readonly #receiver: object;
  readonly #outcome: AcceptedOutcome;
  readonly #earlier: Note | undefined;

  constructor(receiver: object, outcome: AcceptedOutcome, earlier: Note | undefined) {
    this.#receiver = receiver;
    this.#outcome = outcome;
    this.#earlier = earlier;
  }

  get outcome(): AcceptedOutcome {
    return this.#outcome;
  }

  /** The note of one receiver, among those of all that accepted the request. */
  of(receiver: object): Note | undefined {
    return this.#receiver === receiver ? this : this.#earlier?.of(receiver);
  }
}

/** Notes that a receiver accepted a request. */
export function noteAccepted(request: object | undefined, receiver: object, outcome: AcceptedOutcome): void {
  if (request === undefined) return;
  try {
    (request as SeenRequest)[SEEN] = new Note(receiver, outcome, (request as SeenRequest)[SEEN]);
  } catch {
    // The request is frozen.
  }
}

/** What a receiver made of a request that it accepted before. */
export function acceptedBefore(request: object | undefined, receiver: object): AcceptedOutcome | undefined {
  return (request as SeenRequest | undefined)?.[SEEN]?.of(receiver)?.outcome;
}

/** The body of a request that any receiver has accepted. */
export function acceptedBody(request: object | undefined): Uint8Array | undefined {
  return (request as SeenRequest | undefined)?.[SEEN]?.outcome.context.rawBody;
}
