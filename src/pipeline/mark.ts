import type { Accepted } from "./accepted.ts";

const MARK: unique symbol = Symbol("bluum-webhooks: accepted");

/** A request, as far as it is marked. */
type Marked = { [MARK]?: Mark | undefined };

/**
 * Notes on a request who accepted it, so that the same one again (mounted twice) is recognised, though its body is drained. A
 * WeakMap would do, if it did not hand every event on to the old generation of the heap. Whoever prints the request sees an
 * empty object.
 */
export class Mark {
  readonly #receiver: object;
  readonly #outcome: Accepted;
  /** Who accepted it before. */
  readonly #earlier: Mark | undefined;

  private constructor(receiver: object, outcome: Accepted, earlier: Mark | undefined) {
    this.#receiver = receiver;
    this.#outcome = outcome;
    this.#earlier = earlier;
  }

  /** Marks a request, if it can be. */
  static put(request: object | undefined, receiver: object, outcome: Accepted): void {
    if (request === undefined) return;
    try {
      (request as Marked)[MARK] = new Mark(receiver, outcome, (request as Marked)[MARK]);
    } catch {
      // A frozen one; to ask beforehand costs more.
    }
  }

  /** What a receiver made of a request that it accepted before. */
  static outcomeOf(request: object | undefined, receiver: object): Accepted | undefined {
    let mark = (request as Marked | undefined)?.[MARK];
    while (mark !== undefined && mark.#receiver !== receiver) mark = mark.#earlier;
    return mark === undefined ? undefined : mark.#outcome;
  }

  /** The body of a request that any receiver has accepted. */
  static bodyOf(request: object | undefined): Uint8Array | undefined {
    const mark = (request as Marked | undefined)?.[MARK];
    return mark === undefined ? undefined : mark.#outcome.context.rawBody;
  }
}
