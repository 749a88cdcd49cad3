import type { Buffer } from "node:buffer";
import type { SignatureScheme } from "../../schemes/scheme.ts";

/** Signature headers, and what they were made from besides the body. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string;
  /** By the wall clock, skew included. */
  readonly signedAtMs: number;
}

/** A signed message, with all that is needed to sign it again. */
export interface SignedMessage {
  readonly scheme: SignatureScheme;
  readonly signed: Signed;
  readonly body: Buffer;
  readonly messageId: string;
}

/** The message id of an event, for schemes that sign one: the same in every attempt and for every endpoint. */
export function messageIdOf(eventId: string): string {
  return eventId.replace(/^evt_/, "msg_");
}
