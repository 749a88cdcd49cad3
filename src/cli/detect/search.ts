import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { ed25519IsAmong, ed25519PublicKey } from "../../schemes/ed25519.ts";
import { type Content, type ContentGroup, contentGroups, type Rendered } from "./content.ts";
import type { Captured } from "./delivery.ts";
import { type Algorithm, SIGNATURE_BYTES, type Written, writtenIn } from "./digest.ts";
import { type Effort, spend } from "./effort.ts";
import { type KeyReading, readingsOf } from "./key-reading.ts";

/** A place in a header whose bytes are the signature of one of the contents under one of the readings of a secret. */
export interface Match {
  readonly header: string;
  readonly written: Written;
  readonly algorithm: Algorithm;
  readonly readings: readonly KeyReading[];
  readonly contents: readonly Content[];
}

/** A key's bytes, ready for use, and the readings that give them. */
interface Key {
  readonly for: KeyReading["for"];
  readonly object: KeyObject;
  readonly readings: KeyReading[];
}

/** A place in a header that is not explained yet. */
interface Place {
  readonly header: string;
  readonly written: Written;
}

const HASHES = ["sha256", "sha1", "sha512", "sha384"] as const;
const MAX_PLACES = 64;

/**
 * Tries every content under every key and compares with everything in the headers that is as long as a signature. Each MAC
 * is computed once; a header in which a signature was found is left out from then on.
 */
export function search(
  captured: Captured,
  secrets: readonly string[],
  urls: readonly string[],
  effort: Effort,
): Match[] {
  const keys = keysOf(secrets);
  let places = placesIn(captured);
  const matches: Match[] = [];
  const groups = contentGroups(captured, urls);
  for (const [done, group] of groups.entries()) {
    if (places.length === 0) break;
    const found = tryContent(group, captured.body, keys, places, effort);
    if (found === undefined) {
      effort.untried += groups.length - done;
      break;
    }
    matches.push(...found);
    if (found.length > 0) places = places.filter(({ header }) => !found.some((match) => match.header === header));
  }
  return matches;
}

/** The HMAC of a delivery's content; undefined where that would be too much work. */
export function macOf(
  hash: Exclude<Algorithm, "ed25519">,
  key: KeyObject,
  { before, after }: Rendered,
  body: Uint8Array,
  effort: Effort,
): Buffer | undefined {
  if (!spend(effort, before.length + body.byteLength + after.length)) return undefined;
  return createHmac(hash, key).update(before, "utf8").update(body).update(after, "utf8").digest();
}

/** Whether one of the signatures is an ed25519 key's; undefined where that would be too much work. */
export function ed25519Signed(
  signatures: readonly Uint8Array[],
  key: KeyObject,
  { before, after }: Rendered,
  body: Uint8Array,
  effort: Effort,
): boolean | undefined {
  // A verification hashes the message once, and is worth 64 KiB of hashing by itself.
  if (!spend(effort, before.length + body.byteLength + after.length + 64 * 1024)) return undefined;
  return ed25519IsAmong(signatures, key, before, Buffer.concat([body, Buffer.from(after, "utf8")]));
}

/** Makes the key of its bytes. */
export function keyObject(kind: KeyReading["for"], bytes: Uint8Array): KeyObject {
  return kind === "hmac" ? createSecretKey(bytes) : ed25519PublicKey(bytes);
}

function tryContent(
  group: ContentGroup,
  body: Uint8Array,
  keys: readonly Key[],
  places: readonly Place[],
  effort: Effort,
): Match[] | undefined {
  const matches: Match[] = [];
  for (const key of keys) {
    const found = key.for === "hmac" ? tryHmac : tryEd25519;
    const matched = found(group, body, key, places, effort);
    if (matched === undefined) return undefined;
    for (const { place, algorithm } of matched) {
      matches.push({ ...place, algorithm, readings: key.readings, contents: group.contents });
    }
  }
  return matches;
}

type Matched = { readonly place: Place; readonly algorithm: Algorithm }[] | undefined;

function tryHmac(group: ContentGroup, body: Uint8Array, key: Key, places: readonly Place[], effort: Effort): Matched {
  const matched: NonNullable<Matched> = [];
  for (const algorithm of HASHES) {
    const candidates = places.filter(({ written }) => written.bytes.byteLength === SIGNATURE_BYTES[algorithm]);
    if (candidates.length === 0) continue;
    const expected = macOf(algorithm, key.object, group, body, effort);
    if (expected === undefined) return undefined;
    effort.combinations += candidates.length * group.contents.length * key.readings.length;
    for (const place of candidates) if (expected.equals(place.written.bytes)) matched.push({ place, algorithm });
  }
  return matched;
}

function tryEd25519(
  group: ContentGroup,
  body: Uint8Array,
  key: Key,
  places: readonly Place[],
  effort: Effort,
): Matched {
  const algorithm = "ed25519";
  const matched: NonNullable<Matched> = [];
  for (const place of places) {
    if (place.written.bytes.byteLength !== SIGNATURE_BYTES[algorithm]) continue;
    const signed = ed25519Signed([place.written.bytes], key.object, group, body, effort);
    if (signed === undefined) return undefined;
    effort.combinations += group.contents.length * key.readings.length;
    if (signed) matched.push({ place, algorithm });
  }
  return matched;
}

function keysOf(secrets: readonly string[]): Key[] {
  const keys = new Map<string, Key>();
  for (const { bytes, reading } of secrets.flatMap(readingsOf)) {
    const id = `${reading.for} ${Buffer.from(bytes).toString("hex")}`;
    const key = keys.get(id) ?? { for: reading.for, object: keyObject(reading.for, bytes), readings: [] };
    key.readings.push(reading);
    keys.set(id, key);
  }
  return [...keys.values()];
}

function placesIn({ headers }: Captured): Place[] {
  const places = [...headers].flatMap(([header, { value }]) =>
    writtenIn(value).map((written) => ({ header, written })),
  );
  const looksSigned = ({ header }: Place) => Number(SIGNATURE_NAME.test(header));
  return places.sort((one, other) => looksSigned(other) - looksSigned(one)).slice(0, MAX_PLACES);
}

/** How a header is called that probably carries a signature. */
export const SIGNATURE_NAME: RegExp = /sign|hmac|digest|hash|webhook|svix|bluum|auth|sig\b/;
