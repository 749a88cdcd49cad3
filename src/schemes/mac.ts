import { Buffer } from "node:buffer";
import crypto, { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { type ByteEncoding, writeEncoded } from "./encoding.ts";

/** The hash under the HMAC. */
export type HmacAlgorithm = "sha1" | "sha256" | "sha512";

/** How many bytes each algorithm's digest has. */
export const DIGEST_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };
/** How many bytes each algorithm takes at a time; the key is padded to it (FIPS 180-4, figure 1). */
const BLOCK_BYTES: Readonly<Record<HmacAlgorithm, number>> = { sha1: 64, sha256: 64, sha512: 128 };

/** A key made ready once, for any number of HMACs, and the memory in which each of them is computed and compared. */
export interface MacKey {
  readonly algorithm: HmacAlgorithm;
  /** For `createHmac`. */
  readonly object: KeyObject;
  /** For one-shot hashes: the key, padded to a block and mixed with the inner constant of HMAC. */
  readonly inner: Uint8Array;
  /** The same with the outer constant, and behind it room for the inner hash. */
  readonly outer: Uint8Array;
  /** The HMAC that was computed last. */
  readonly expected: Uint8Array;
  /** The digest that it is compared with. */
  readonly given: Buffer;
}

/** Makes a key of its raw bytes. Their length is the caller's to judge. */
export function macKey(algorithm: HmacAlgorithm, bytes: Uint8Array): MacKey {
  const block = BLOCK_BYTES[algorithm];
  const digest = DIGEST_BYTES[algorithm];
  const short = bytes.length > block ? crypto.createHash(algorithm).update(bytes).digest() : bytes;
  const inner = new Uint8Array(block).fill(0x36);
  const outer = new Uint8Array(block + digest).fill(0x5c);
  short.forEach((byte, place) => {
    inner[place] = byte ^ 0x36;
    outer[place] = byte ^ 0x5c;
  });
  const [expected, given] = [new Uint8Array(digest), Buffer.alloc(digest)];
  return { algorithm, object: createSecretKey(bytes), inner, outer, expected, given };
}

/**
 * The HMAC (RFC 2104) of `prefix` followed by `body`. The body stays bytes: decoding it would let two different bodies
 * share one signature.
 *
 * @param prefix what is signed before the body; UTF-8
 */
export function mac(key: MacKey, prefix: string, body: Uint8Array): Uint8Array {
  computeMac(key, prefix, body);
  return Uint8Array.from(key.expected);
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
  computeMac(key, prefix, body);
  for (const digest of digests) {
    writeEncoded(key.given, digest, encoding);
    if (timingSafeEqual(key.given, key.expected)) return true;
  }
  return false;
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

/** Computes an HMAC; it stands in `key.expected` until the next one under this key. */
function computeMac(key: MacKey, prefix: string, body: Uint8Array): void {
  // A character of a prefix takes three bytes at the most.
  if (hash !== undefined && !hashing && 3 * prefix.length + body.byteLength <= ONE_SHOT_BYTES) {
    writeBinary(key.expected, oneShotMac(hash, key, prefix, body), 0);
  } else {
    key.expected.set(createHmac(key.algorithm, key.object).update(prefix, "utf8").update(body).digest());
  }
}

/**
 * The same HMAC as two one-shot hashes: H(outer key, H(inner key, message)). The digests pass as binary strings, which takes
 * half the time of Buffers; so does a plain view of the message.
 */
function oneShotMac(hash: OneShotHash, key: MacKey, prefix: string, body: Uint8Array): string {
  const { algorithm, inner, outer } = key;
  scratch ??= Buffer.allocUnsafeSlow(ONE_SHOT_BYTES + BLOCK_BYTES.sha512);
  scratch.set(inner);
  const start = inner.length + writePrefix(scratch, prefix, inner.length);
  scratch.set(body, start);
  const message = new Uint8Array(scratch.buffer, 0, start + body.byteLength);
  hashing = true;
  try {
    writeBinary(outer, hash(algorithm, message, "binary"), inner.length);
    return hash(algorithm, outer, "binary");
  } finally {
    hashing = false;
  }
}

/** Writes a text in UTF-8, and tells how many bytes it took. What a scheme signs before the body is ASCII, mostly. */
function writePrefix(into: Buffer, prefix: string, at: number): number {
  return writeBinary(into, prefix, at) < 0x80 ? prefix.length : into.write(prefix, at);
}

/**
 * Writes a binary string: for so few bytes as a digest has faster than `Buffer.write`, which leaves JavaScript.
 *
 * @returns the bits that are set in any of its characters
 */
function writeBinary(into: Uint8Array, binary: string, at: number): number {
  let bits = 0;
  for (let place = 0; place < binary.length; place += 1) {
    const code = binary.charCodeAt(place);
    into[at + place] = code;
    bits |= code;
  }
  return bits;
}
