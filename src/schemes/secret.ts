import { Buffer } from "node:buffer";
import { WebhookError } from "../errors.ts";
import { decodeBytes } from "./encoding.ts";
import { type HmacAlgorithm, type MacKey, macKey } from "./mac.ts";
import { MIN_KEY_BYTES } from "./scheme.ts";

/** How a shared secret holds the key: its UTF-8 bytes are the key, or it is the key in base64 or hex. */
export type SecretEncoding = "utf8" | "base64" | "hex";

/** The error for a secret that cannot be used; the message says what to do and never shows any part of the secret. */
export function secretRefused(why: string): WebhookError {
  return new WebhookError("configuration_invalid", `secret: ${why}`);
}

/**
 * Makes the HMAC key of a shared secret.
 *
 * @throws WebhookError `configuration_invalid` for an ed25519 key, text that does not decode, or fewer than
 *   `MIN_KEY_BYTES` bytes
 */
export function sharedKey(algorithm: HmacAlgorithm, secret: string, encoding: SecretEncoding): MacKey {
  refuseKeyPair(secret);
  return macKey(algorithm, longEnough(secretBytes(secret, encoding)));
}

/** Returns key bytes of at least `MIN_KEY_BYTES`, and refuses fewer. */
export function longEnough(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength >= MIN_KEY_BYTES) return bytes;
  throw secretRefused(`it has fewer than ${MIN_KEY_BYTES} bytes, so it could be guessed; copy the whole secret.`);
}

// A public key used as an HMAC key would let everyone who knows it sign.
function refuseKeyPair(secret: string): void {
  if (!secret.startsWith("whpk_") && !secret.startsWith("whsk_")) return;
  throw secretRefused(
    "this is a key of an ed25519 key pair (whpk_ or whsk_), but this scheme needs a shared secret. Use public keys with standardWebhooksSignature().",
  );
}

function secretBytes(secret: string, encoding: SecretEncoding): Uint8Array {
  if (encoding === "utf8") return Buffer.from(secret, "utf8");
  const bytes = decodeBytes(secret, encoding);
  if (bytes === undefined) throw secretRefused(`it is not ${encoding}, as the scheme's secretEncoding says.`);
  return bytes;
}
