import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { ByteEncoding } from "./encoding.ts";

/** The hash under the HMAC. */
export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** How many bytes each algorithm's digest has. */
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** A key prepared once, for any number of HMACs. Printing it shows none of its bytes. */
export interface MacKey {
  readonly algorithm: HmacAlgorithm;
  readonly key: KeyObject;
}

/** Makes a key of its raw bytes. Their length is the caller's to judge. */
export function macKey(algorithm: HmacAlgorithm, bytes: Uint8Array): MacKey {
  return { algorithm, key: createSecretKey(bytes) };
}

/**
 * The HMAC (RFC 2104) of `prefix` followed by `body`. The body stays bytes: decoding it would let two different bodies
 * share one signature.
 *
 * @param prefix what is signed before the body; UTF-8
 */
export function mac({ algorithm, key }: MacKey, prefix: string, body: Uint8Array): Uint8Array {
  return createHmac(algorithm, key).update(prefix, "utf8").update(body).digest();
}

/**
 * Whether the HMAC of `prefix` and `body` is among `digests`, each compared in constant time, as raw bytes.
 *
 * @param digests texts that `isEncoded` has found to be digests of the key's algorithm, in this encoding
 */
export function macIsAmong(
  digests: readonly string[],
  encoding: ByteEncoding,
  key: MacKey,
  prefix: string,
  body: Uint8Array,
): boolean {
  if (digests.length === 0) return false;
  const expected = mac(key, prefix, body);
  return digests.some((digest) => timingSafeEqual(Buffer.from(digest, encoding), expected));
}
