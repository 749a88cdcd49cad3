import { Buffer } from "node:buffer";
import crypto, { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";

/** The hash under the HMAC. */
export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** How many bytes each algorithm's digest has. */
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };
/** How many bytes each algorithm takes at a time; the key is padded to it (FIPS 180-4, figure 1). */
const BLOCK_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 64, sha256: 64, sha512: 128 };

/** A key made ready once, for any number of deliveries. */
export interface MacKey {
  /** For `createHmac`. */
  readonly object: KeyObject;
  /** For one-shot hashes; made when an algorithm is first used. */
  readonly padded: Map<HmacAlgorithm, PaddedKey>;
}

/** The key, padded to a block and mixed with the two constants of HMAC; the outer one has room for the inner hash behind it. */
interface PaddedKey {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** Makes a key of its raw bytes. Their length is the caller's to judge. */
export function macKey(bytes: Uint8Array): MacKey {
  return { object: createSecretKey(bytes), padded: new Map() };
}

/**
 * The HMAC (RFC 2104) of `prefix` followed by `body`. The body stays bytes: decoding it would let two different bodies
 * share one signature.
 *
 * @param prefix what is signed before the body; UTF-8
 */
export function mac(algorithm: HmacAlgorithm, key: MacKey, prefix: string, body: Uint8Array): Uint8Array {
  // A character of a prefix takes three bytes at the most.
  return hash !== undefined && !hashing && 3 * prefix.length + body.byteLength <= ONE_SHOT_BYTES
    ? oneShotMac(hash, algorithm, key, prefix, body)
    : createHmac(algorithm, key.object).update(prefix, "utf8").update(body).digest();
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

type OneShotHash = (algorithm: string, data: Uint8Array, encoding: "binary") => string;

// From the default export, since a runtime without it would refuse the whole module for a named import (Node >= 20.12).
const { hash } = crypto as { hash?: OneShotHash };

/** Setting up an HMAC costs more than hashing a small body; beyond this size, copying the body costs more than that. */
const ONE_SHOT_BYTES = 16 * 1024;
/** Where the padded key and the message come to stand behind one another. One serves all, each in its turn. */
let scratch: Buffer | undefined;
/** Whether it is in use. Deno loads its hash at the first call, and meanwhile runs what waits, which may want an HMAC too. */
let hashing = false;

/**
 * The same HMAC as two one-shot hashes: H(outer key, H(inner key, message)). The digests pass as binary strings, which takes
 * half the time of Buffers; so does a plain view of the message.
 */
function oneShotMac(
  hash: OneShotHash,
  algorithm: HmacAlgorithm,
  key: MacKey,
  prefix: string,
  body: Uint8Array,
): Buffer {
  const { inner, outer } = paddedKey(algorithm, key);
  scratch ??= Buffer.allocUnsafeSlow(ONE_SHOT_BYTES + BLOCK_BYTES.sha512);
  scratch.set(inner);
  const start = inner.length + (prefix === "" ? 0 : scratch.write(prefix, inner.length));
  scratch.set(body, start);
  const message = new Uint8Array(scratch.buffer, 0, start + body.byteLength);
  hashing = true;
  try {
    outer.write(hash(algorithm, message, "binary"), inner.length, "binary");
    return Buffer.from(hash(algorithm, outer, "binary"), "binary");
  } finally {
    hashing = false;
  }
}

function paddedKey(algorithm: HmacAlgorithm, key: MacKey): PaddedKey {
  const known = key.padded.get(algorithm);
  if (known !== undefined) return known;
  const made = padKey(algorithm, key.object.export());
  key.padded.set(algorithm, made);
  return made;
}

function padKey(algorithm: HmacAlgorithm, bytes: Buffer): PaddedKey {
  const block = BLOCK_BYTES[algorithm];
  const short = bytes.length > block ? crypto.createHash(algorithm).update(bytes).digest() : bytes;
  const inner = Buffer.alloc(block, 0x36);
  const outer = Buffer.alloc(block + DIGEST_BYTES[algorithm], 0x5c);
  short.forEach((byte, place) => {
    inner[place] = byte ^ 0x36;
    outer[place] = byte ^ 0x5c;
  });
  return { inner, outer };
}
