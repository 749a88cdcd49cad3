import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { ed25519IsAmong, ed25519PublicKey } from "../../../schemes/ed25519.ts";
import type { Rendered } from "./content.ts";
import type { Algorithm } from "./digest.ts";
import { count, type Effort } from "./effort.ts";
import type { KeyReading } from "./key-reading.ts";

/** The hashes under an HMAC, the likeliest first. */
export const HASHES: readonly Hash[] = ["sha256", "sha1", "sha512", "sha384"];
export type Hash = Exclude<Algorithm, "ed25519">;

/** How long each takes, as a multiple of SHA-256, for which processors have instructions. */
const SLOWNESS: Readonly<Record<Hash, number>> = { sha256: 1, sha1: 1, sha512: 3, sha384: 3 };

/** The HMAC of a delivery's content. */
export function macOf(
  hash: Hash,
  key: KeyObject,
  { before, after }: Rendered,
  body: Uint8Array,
  effort: Effort,
): Buffer {
  count(effort, SLOWNESS[hash] * (before.length + body.byteLength + after.length));
  return createHmac(hash, key).update(before, "utf8").update(body).update(after, "utf8").digest();
}

/** Whether one of the signatures is an ed25519 key's. */
export function ed25519Signed(
  signatures: readonly Uint8Array[],
  key: KeyObject,
  { before, after }: Rendered,
  body: Uint8Array,
  effort: Effort,
): boolean {
  // A verification takes as long as to hash some 128 KiB.
  count(effort, before.length + body.byteLength + after.length + 128 * 1024);
  return ed25519IsAmong(signatures, key, before, Buffer.concat([body, Buffer.from(after, "utf8")]));
}

/** Makes the key of its bytes. */
export function keyObject(kind: KeyReading["for"], bytes: Uint8Array): KeyObject {
  return kind === "hmac" ? createSecretKey(bytes) : ed25519PublicKey(bytes);
}
