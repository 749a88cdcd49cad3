import type { HeaderLookup } from "../delivery.ts";

/**
 * The contract of a signature scheme: where a provider puts its signature, how the key is made from the secret, what is
 * signed, and the other half, signing, for tests and sandboxes. A scheme is a plain value; it holds no secret.
 *
 * `Key` and `Presented` are the scheme's own business: what `prepare` and `read` return is only handed back to `verify`.
 */
export interface SignatureScheme<Key = unknown, Presented extends object = object> {
  /** The scheme's name in logs, such as `"standard-webhooks"`. */
  readonly name: string;
  /** What an operator should see the provider send, in words, such as `X-Bluum-Signature: <hex HMAC-SHA256 of the body>`. */
  readonly description: string;
  /** Whether the signature covers a time stamp. Where it covers none, `maxEventAgeMs` bounds replays instead. */
  readonly signsTimestamp: boolean;
  /**
   * How far a signed timestamp may be from the receiver's clock, in either direction, in milliseconds. A receiver must remember events
   * for at least twice as long, and is refused at creation otherwise; without this field it cannot check. Leave it out where no
   * timestamp is signed.
   */
  readonly toleranceMs?: number;
  /**
   * Makes the verification key of one secret, once, not at every delivery, and at once: a promise is refused. `verify` gets all keys in
   * a frozen list.
   *
   * @throws WebhookError `configuration_invalid` for a secret that this scheme cannot use; the message never shows it
   */
  prepare(secret: string): Key;
  /** Reads the signature headers, before the body is read and without any cryptography. Bounded in size and number. */
  read(header: HeaderLookup): Presented | "signature_missing" | "signature_malformed";
  /**
   * Checks what `read` returned against the raw body, in constant time for each comparison, with every key. It answers at once:
   * anything but a proof that names one of the keys, or one of these codes, admits nothing and is `handler_failed`.
   *
   * @param nowMs the receiver's clock, epoch milliseconds
   */
  verify(
    presented: Presented,
    body: Uint8Array,
    keys: readonly Key[],
    nowMs: number,
  ): Verified | "signature_mismatch" | "timestamp_out_of_tolerance";
  /** Makes the headers that the provider would send with this body. The receiver never calls it. */
  sign(message: MessageToSign): Record<string, string>;
}

/** What a signature proved. */
export interface Verified {
  /** Which of the keys matched: its place in the list of secrets. */
  readonly secretIndex: number;
  /** The message id, only where the signature covers it. */
  readonly messageId?: string;
}

/** One message, about to be signed. */
export interface MessageToSign {
  /** The endpoint's secret, in the form that the scheme's users are given it. */
  readonly secret: string;
  /** The exact bytes that will be sent. */
  readonly body: Uint8Array;
  /** The message id, for schemes that sign one. A scheme that needs one and is given none makes one up. */
  readonly messageId?: string;
  /** The time of signing, epoch milliseconds. */
  readonly nowMs: number;
}

/** At most this many signatures of one delivery are tried; more is `signature_malformed`. */
export const MAX_SIGNATURES = 16;
/** A signature header longer than this is `signature_malformed`. */
export const MAX_HEADER_BYTES: number = 8 * 1024;
/** Shorter keys are refused, after decoding: 128 bits is what guessing must cost (NIST SP 800-107, section 5.3.4). */
export const MIN_KEY_BYTES = 16;
/** How far a signed timestamp may be from the receiver's clock, in either direction, unless the scheme is told otherwise: 5 minutes. */
export const DEFAULT_TOLERANCE_MS: number = 5 * 60_000;
