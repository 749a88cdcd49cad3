import { Buffer } from "node:buffer";
import { createHmac, type KeyObject } from "node:crypto";
import { ed25519IsAmong } from "../../../schemes/ed25519.ts";
import type { Algorithm } from "./signature-text.ts";
import type { SignedText } from "./signed-content.ts";

/** The work that a search has done. */
export interface Effort {
  /** The number of MACs computed and ed25519 signatures verified. */
  macs: number;
  /** The number of combinations of a signature's place, algorithm, encoding, key and content that were compared. */
  combinations: number;
  /** The bytes that were hashed, with the fixed cost of each MAC counted as bytes. */
  hashedBytes: number;
}

/**
 * The most that a search hashes, about half a second's work: ninety thousand MACs of a small body, which is more than one secret
 * needs, or nearly four hundred of a body of 1 MiB.
 */
export const MAX_HASHED_BYTES: number = 384 * 1024 * 1024;

/** The fixed cost of a MAC, as bytes hashed. */
const MAC_BYTES = 4 * 1024;
/** The cost of an ed25519 verification, as bytes hashed. */
const ED25519_BYTES = 128 * 1024;

/** The effort before a search. */
export function newEffort(): Effort {
  return { macs: 0, combinations: 0, hashedBytes: 0 };
}

/** Counts one MAC over so many bytes. */
export function countMac(effort: Effort, bytes: number): void {
  effort.macs += 1;
  effort.hashedBytes += bytes + MAC_BYTES;
}

/** The hash of an HMAC. */
export type Hash = Exclude<Algorithm, "ed25519">;
/** The hashes that are tried, the likeliest first. */
export const HASHES: readonly Hash[] = ["sha256", "sha1", "sha512", "sha384"];

/** The cost of each hash relative to SHA-256, for which processors have instructions. */
const COST: Readonly<Record<Hash, number>> = { sha256: 1, sha1: 1, sha512: 3, sha384: 3 };

/** The HMAC of a delivery's signed content. */
export function macOf(
  hash: Hash,
  key: KeyObject,
  { before, after }: SignedText,
  body: Uint8Array,
  effort: Effort,
): Buffer {
  countMac(effort, COST[hash] * (before.length + body.byteLength + after.length));
  return createHmac(hash, key).update(before, "utf8").update(body).update(after, "utf8").digest();
}

/** Whether one of the ed25519 signatures is of the delivery's signed content. */
export function ed25519Signed(
  signatures: readonly Uint8Array[],
  key: KeyObject,
  { before, after }: SignedText,
  body: Uint8Array,
  effort: Effort,
): boolean {
  countMac(effort, before.length + body.byteLength + after.length + ED25519_BYTES);
  return ed25519IsAmong(signatures, key, before, Buffer.concat([body, Buffer.from(after, "utf8")]));
}
