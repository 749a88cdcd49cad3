import { Buffer } from "node:buffer";
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { ed25519IsAmong, ed25519PublicKey } from "../../schemes/ed25519.ts";
import { type Content, type ContentGroup, contentGroups, type Rendered } from "./content.ts";
import type { Captured } from "./delivery.ts";
import { type Algorithm, SIGNATURE_BYTES, type Written, writtenIn } from "./digest.ts";
import { count, type Effort } from "./effort.ts";
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

/** What a search goes through, and where it stops. */
export interface SearchBounds {
  /** The most bytes that it hashes. */
  readonly hashedBytes: number;
  /** The most contents that it tries, the likeliest first. */
  readonly contents: number;
}

/**
 * Tries every content under every key and compares with everything in the headers that is as long as a signature. Each MAC
 * is computed once; a header in which a signature was found is left out from then on.
 */
export function search(
  captured: Captured,
  secrets: readonly string[],
  urls: readonly string[],
  effort: Effort,
  bounds: SearchBounds,
): Match[] {
  const keys = keysOf(secrets);
  const endBytes = effort.hashedBytes + bounds.hashedBytes;
  const groups = contentGroups(captured, urls).slice(0, bounds.contents);
  const matches: Match[] = [];
  let places = placesIn(captured);
  for (const [done, group] of groups.entries()) {
    if (places.length === 0) break;
    if (effort.hashedBytes > endBytes) {
      effort.untried += groups.length - done;
      break;
    }
    const found = tryContent(group, captured.body, keys, places, effort);
    matches.push(...found);
    if (found.length > 0) places = places.filter(({ header }) => !found.some((match) => match.header === header));
  }
  return matches;
}

/** The HMAC of a delivery's content. */
export function macOf(
  hash: Exclude<Algorithm, "ed25519">,
  key: KeyObject,
  { before, after }: Rendered,
  body: Uint8Array,
  effort: Effort,
): Buffer {
  count(effort, before.length + body.byteLength + after.length);
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

function tryContent(
  group: ContentGroup,
  body: Uint8Array,
  keys: readonly Key[],
  places: readonly Place[],
  effort: Effort,
): Match[] {
  return keys.flatMap((key) => {
    const attempt: Attempt = { group, body, key, effort };
    const matched = key.for === "hmac" ? tryHmac(attempt, places) : tryEd25519(attempt, places);
    return matched.map(({ place, algorithm }) => ({
      ...place,
      algorithm,
      readings: key.readings,
      contents: group.contents,
    }));
  });
}

interface Attempt {
  readonly group: ContentGroup;
  readonly body: Uint8Array;
  readonly key: Key;
  readonly effort: Effort;
}

interface Matched {
  readonly place: Place;
  readonly algorithm: Algorithm;
}

function tryHmac(attempt: Attempt, places: readonly Place[]): Matched[] {
  const { group, body, key, effort } = attempt;
  return HASHES.flatMap((algorithm) => {
    const candidates = candidatesFor(algorithm, attempt, places);
    if (candidates.length === 0) return [];
    const expected = macOf(algorithm, key.object, group, body, effort);
    return candidates.filter(({ written }) => expected.equals(written.bytes)).map((place) => ({ place, algorithm }));
  });
}

function tryEd25519(attempt: Attempt, places: readonly Place[]): Matched[] {
  const { group, body, key, effort } = attempt;
  const algorithm = "ed25519";
  return candidatesFor(algorithm, attempt, places)
    .filter(({ written }) => ed25519Signed([written.bytes], key.object, group, body, effort))
    .map((place) => ({ place, algorithm }));
}

/** The places as long as an algorithm's signatures; each is counted as compared. */
function candidatesFor(algorithm: Algorithm, { group, key, effort }: Attempt, places: readonly Place[]): Place[] {
  const candidates = places.filter(({ written }) => written.bytes.byteLength === SIGNATURE_BYTES[algorithm]);
  effort.combinations += candidates.length * group.contents.length * key.readings.length;
  return candidates;
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
  const places = [...headers]
    .filter(([header]) => !IS_AN_ID.test(header))
    .flatMap(([header, { value }]) => writtenIn(value).map((written) => ({ header, written })));
  const looksSigned = ({ header }: Place) => Number(SIGNATURE_NAME.test(header));
  return places.sort((one, other) => looksSigned(other) - looksSigned(one)).slice(0, MAX_PLACES);
}

/** Many an id is as long as a signature by SHA-1. */
const IS_AN_ID = /(^|[-_])(id|uuid|guid)$/;

/** How a header is called that probably carries a signature. */
export const SIGNATURE_NAME: RegExp = /sign|hmac|digest|hash|webhook|svix|bluum|auth|sig\b/;
