import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

/** The length of a raw public key and of a private key's seed, in bytes (RFC 8032, section 5.1.5). */
export const ED25519_KEY_BYTES = 32;
/** The length of a signature, in bytes (RFC 8032, section 5.1.6). */
export const ED25519_SIGNATURE_BYTES = 64;

// The DER header before the 32 raw bytes (RFC 8410, sections 4 and 7). Every runtime imports DER; only some import raw keys.
const SPKI_HEAD = "302a300506032b6570032100";
const PKCS8_HEAD = "302e020100300506032b657004220420";

/** Makes a verification key from the 32 raw bytes of a public key. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: der(SPKI_HEAD, raw), format: "der", type: "spki" });
}

/** Makes a signing key from the 32-byte seed. */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: der(PKCS8_HEAD, seed), format: "der", type: "pkcs8" });
}

/** Signs `prefix` followed by `body`. */
export function ed25519Sign(key: KeyObject, prefix: string, body: Uint8Array): Uint8Array {
  return sign(null, joined(prefix, body), key);
}

/** Whether one of `signatures` is valid for `prefix` followed by `body`. */
export function ed25519IsAmong(
  signatures: readonly Uint8Array[],
  key: KeyObject,
  prefix: string,
  body: Uint8Array,
): boolean {
  if (signatures.length === 0) return false;
  const message = joined(prefix, body);
  return signatures.some((signature) => verify(null, message, key, signature));
}

function joined(prefix: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, "utf8"), body]);
}

function der(head: string, raw: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head, "hex"), raw]);
}
