import { Buffer } from "node:buffer";
import { WebhookError } from "../errors.ts";
import { decodeBytes } from "./encoding.ts";
import { type HmacAlgorithm, type MacKey, macKey } from "./mac.ts";
import { MIN_KEY_BYTES } from "./scheme.ts";

/** How a shared secret is written down: the text itself is the key, or the key is encoded in it. */
export type SecretEncoding = "utf8" | "base64" | "hex";

/** A secret that cannot be used, with the remedy. The message never shows any of it. */
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

/** Passes on key bytes that are too many to guess, and refuses fewer. */
export function longEnough(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength >= MIN_KEY_BYTES) return bytes;
  throw secretRefused(`fewer than ${MIN_KEY_BYTES} bytes make a key that can be guessed; copy the whole secret.`);
}

// As the key of an HMAC a public key would let everyone who knows it sign.
function refuseKeyPair(secret: string): void {
  if (!secret.startsWith("whpk_") && !secret.startsWith("whsk_")) return;
  throw secretRefused(
    "this is one half of an ed25519 key pair (whpk_ or whsk_), and this scheme needs a shared secret. Public keys are for standardWebhooksSignature().",
  );
}

function secretBytes(secret: string, encoding: SecretEncoding): Uint8Array {
  if (encoding === "utf8") return Buffer.from(secret, "utf8");
  const bytes = decodeBytes(secret, encoding);
  if (bytes === undefined) throw secretRefused(`it is not ${encoding}, as the scheme's secretEncoding says.`);
  return bytes;
}
