import type { Hypothesis } from "../search/hypothesis.ts";
import type { Source } from "../search/source.ts";
import type { TimedSource } from "./custom-time.ts";

/** What a printed scheme is made of. */
export interface CustomScheme {
  readonly hypothesis: Hypothesis;
  /** One line that says what the provider sends. */
  readonly description: string;
  /** The header's name as it was sent, by its lower-case name. */
  nameOf(header: string): string;
  /** The URL that is signed, where one is; a receiver does not see it. */
  readonly url: string | undefined;
  /** Characters that never stand in an id, so that what is signed can be taken apart in one way only. */
  readonly notInIds: string;
  /** Whether the signed id is the event's. */
  readonly idIsEvents: boolean;
}

/** The same, with what its parts have in common. */
export interface Sketch extends CustomScheme {
  /** Where the signed timestamp and id come from, where there are any. */
  readonly timestamp: TimedSource | undefined;
  readonly id: Source | undefined;
  /** The names of these two in the program, as far as there are any. */
  readonly names: readonly ("timestamp" | "id")[];
  /** Whether it is a key pair that signs. */
  readonly hasKeyPair: boolean;
}
