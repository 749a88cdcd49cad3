import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";

/** The hash under the HMAC. */
export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** How many bytes each algorithm's digest has. */
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** A key made ready once, for any number of deliveries. */
export type MacKey = KeyObject;

/** Makes a key of its raw bytes. Their length is the caller's to judge. */
export function macKey(bytes: Uint8Array): MacKey {
  return createSecretKey(bytes);
}

/**
 * The HMAC (RFC 2104) of `prefix` followed by `body`. The body stays bytes: decoding it would let two different bodies
 * share one signature.
 *
 * @param prefix what is signed before the body; UTF-8
 */
export function mac(algorithm: HmacAlgorithm, key: MacKey, prefix: string, body: Uint8Array): Uint8Array {
  return createHmac(algorithm, key).update(prefix, "utf8").update(body).digest();
}

/** Whether the HMAC of `prefix` and `body` is among `digests`, each compared in constant time. */
export function macIsAmong(
  digests: readonly Uint8Array[],
  algorithm: HmacAlgorithm,
  key: MacKey,
  prefix: string,
  body: Uint8Array,
): boolean {
  if (digests.length === 0) return false;
  const expected = mac(algorithm, key, prefix, body);
  return digests.some((digest) => isSameDigest(digest, expected));
}

/** Compares raw digests in constant time. Their lengths are no secret, and `timingSafeEqual` throws where they differ. */
export function isSameDigest(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}
