import type { EventOf } from "../../src/events/event.ts";
import type { Pattern } from "../../src/events/pattern.ts";

/** `on` as the receiver declares it. */
export interface Receiver {
  on<const P extends string>(
    pattern: Pattern<P> | readonly Pattern<P>[],
    handler: (event: EventOf<P>, context: { readonly eventId: string }) => unknown,
    options?: { name?: string },
  ): Receiver;
}

export declare const receiver: Receiver;
