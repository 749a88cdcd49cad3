import type { HeaderLookup } from "../delivery.ts";

/**
 * The contract of a signature scheme: which headers carry the signature, how the key is made from the secret, what is signed, and
 * how to sign, for tests and sandboxes. A scheme is a plain value; it holds no secret.
 *
 * `Key` and `Presented` are private to the scheme: the receiver only passes what `prepare` and `read` return to `verify`.
 */
export interface SignatureScheme<Key = unknown, Presented extends object = object> {
  /** The scheme's name in logs, such as `"standard-webhooks"`. */
  readonly name: string;
  /** The signature that is expected, in words, for logs: `X-Bluum-Signature: <hex HMAC-SHA256 of the raw body>`. */
  readonly description: string;
  /** Whether the signature covers a timestamp. If it does not, `maxEventAgeMs` bounds replays instead. */
  readonly signsTimestamp: boolean;
  /**
   * How far a signed timestamp may be from the receiver's clock, in either direction, in milliseconds. `createReceiver` refuses a
   * `retentionMs` of less than twice this value; without this field it cannot check. Leave it out if no timestamp is signed.
   */
  readonly toleranceMs?: number;
  /**
   * Makes the verification key of one secret. It is called once for each secret, not for each delivery, and must be synchronous: a
   * promise is refused. `verify` gets all keys in a frozen list.
   *
   * @throws WebhookError `configuration_invalid` for a secret that this scheme cannot use; the message never shows it
   */
  prepare(secret: string): Key;
  /** Reads the signature headers, before the body is read and without cryptography. It must bound their size and number. */
  read(header: HeaderLookup): Presented | "signature_missing" | "signature_malformed";
  /**
   * Checks what `read` returned against the raw body with every key; each comparison takes constant time. It must be synchronous. Any
   * result other than an index of `keys` or one of these codes refuses the delivery with `receiver_failed`.
   *
   * @param nowMs the receiver's clock, epoch milliseconds
   */
  verify(
    presented: Presented,
    body: Uint8Array,
    keys: readonly Key[],
    nowMs: number,
  ): Verified | "signature_mismatch" | "timestamp_out_of_tolerance";
  /**
   * Makes the signature headers that the provider would send with this body. The receiver never calls it.
   *
   * @throws WebhookError `configuration_invalid` for a secret or a message id with which this scheme cannot sign
   */
  sign(message: MessageToSign): Record<string, string>;
}

/** The result of a successful verification. */
export interface Verified {
  /** The index of the key that matched, in the list of secrets. */
  readonly secretIndex: number;
  /** The message id, only if the signature covers it. */
  readonly messageId?: string;
}

/** A message to sign. */
export interface MessageToSign {
  /** The endpoint's secret, as the provider shows it. */
  readonly secret: string;
  /** The exact bytes that will be sent. */
  readonly body: Uint8Array;
  /** The message id, for schemes that sign one. @default a random id, if the scheme needs one */
  readonly messageId?: string;
  /** The time of signing, epoch milliseconds. */
  readonly nowMs: number;
}

/** The most signatures that a delivery may have; with more it is `signature_malformed`. */
export const MAX_SIGNATURES = 16;
/** A signature header longer than this is `signature_malformed`. */
export const MAX_HEADER_BYTES: number = 8 * 1024;
/** Keys that are shorter after decoding are refused: 128 bits (NIST SP 800-107, section 5.3.4). */
export const MIN_KEY_BYTES = 16;
/** The default of `toleranceMs`: 5 minutes. */
export const DEFAULT_TOLERANCE_MS: number = 5 * 60_000;
