import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { ByteEncoding } from "./encoding.ts";

/** The hash function of an HMAC. */
export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** The length of each algorithm's digest, in bytes. */
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** A key for any number of HMACs. Printing it shows none of its bytes. */
export interface MacKey {
  readonly algorithm: HmacAlgorithm;
  readonly key: KeyObject;
}

/** Makes a key from its raw bytes. The caller checks their number. */
export function macKey(algorithm: HmacAlgorithm, bytes: Uint8Array): MacKey {
  return { algorithm, key: createSecretKey(bytes) };
}

/**
 * The HMAC (RFC 2104) of `prefix` followed by `body`. The body is never decoded: two different bodies could share one signature then.
 *
 * @param prefix the text that is signed before the body, as UTF-8
 */
export function mac({ algorithm, key }: MacKey, prefix: string, body: Uint8Array): Uint8Array {
  const hmac = createHmac(algorithm, key);
  if (prefix !== "") hmac.update(prefix, "utf8");
  return hmac.update(body).digest();
}

/**
 * Whether the HMAC of `prefix` and `body` is one of `digests`. Each is compared in constant time, as raw bytes.
 *
 * @param digests encoded digests of the key's algorithm, already checked with `isEncoded`
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
