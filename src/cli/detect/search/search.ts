import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import { type Content, type ContentGroup, contentGroups } from "./content.ts";
import type { Captured } from "./delivery.ts";
import { type Algorithm, SIGNATURE_BYTES } from "./digest.ts";
import type { Effort } from "./effort.ts";
import { type KeyReading, readingsOf } from "./key-reading.ts";
import { ed25519Signed, HASHES, keyObject, macOf } from "./mac.ts";
import { type Place, type Places, placesIn, without } from "./place.ts";

/** A place in a header whose bytes are the signature of one of the contents under one of the readings of a secret. */
export interface Match extends Place {
  readonly algorithm: Algorithm;
  readonly readings: readonly KeyReading[];
  readonly contents: readonly Content[];
}

/** A key's bytes, ready for use, and the readings that give them. */
export interface SearchKey {
  readonly for: KeyReading["for"];
  readonly object: KeyObject;
  readonly readings: KeyReading[];
}

/** What a search goes through, and where it stops. */
export interface SearchOptions {
  readonly keys: readonly SearchKey[];
  /** URLs that may be signed. */
  readonly urls: readonly string[];
  /** The most bytes that it hashes. */
  readonly hashedBytes: number;
  /** The most contents that it tries, the likeliest first. */
  readonly contents: number;
}

/** What a search found. */
export interface Searched {
  readonly matches: readonly Match[];
  /** How many contents it left untried, since it had come to its bound. */
  readonly untried: number;
}

/** All the keys that the secrets may stand for, each once. */
export function keysOf(secrets: readonly string[]): SearchKey[] {
  const keys = new Map<string, SearchKey>();
  for (const { bytes, reading } of secrets.flatMap(readingsOf)) {
    const id = `${reading.for} ${Buffer.from(bytes).toString("hex")}`;
    const key = keys.get(id) ?? { for: reading.for, object: keyObject(reading.for, bytes), readings: [] };
    key.readings.push(reading);
    keys.set(id, key);
  }
  return [...keys.values()];
}

/**
 * Tries every content under every key and compares with everything in the headers that is as long as a signature. Each MAC
 * is computed once; a header in which a signature was found is left out from then on.
 */
export function search(captured: Captured, options: SearchOptions, effort: Effort): Searched {
  const { keys, urls, hashedBytes, contents } = options;
  const endBytes = effort.hashedBytes + hashedBytes;
  const groups = contentGroups(captured, urls).slice(0, contents);
  const matches: Match[] = [];
  let places = placesIn(captured);
  for (const [done, group] of groups.entries()) {
    if (places.all.length === 0) break;
    if (effort.hashedBytes > endBytes) return { matches, untried: groups.length - done };
    const found = keys.flatMap((key) => tryKey({ group, body: captured.body, key, places, effort }));
    matches.push(...found);
    places = without(
      places,
      found.map(({ header }) => header),
    );
  }
  return { matches, untried: 0 };
}

interface Attempt {
  readonly group: ContentGroup;
  readonly body: Uint8Array;
  readonly key: SearchKey;
  readonly places: Places;
  readonly effort: Effort;
}

function tryKey(attempt: Attempt): Match[] {
  const { key, group } = attempt;
  const algorithms: readonly Algorithm[] = key.for === "hmac" ? HASHES : ["ed25519"];
  return algorithms.flatMap((algorithm) =>
    signedPlaces(algorithm, attempt).map((place) => ({
      ...place,
      algorithm,
      readings: key.readings,
      contents: group.contents,
    })),
  );
}

/** The places that hold the signature by an algorithm. Where none is long enough, nothing is computed. */
function signedPlaces(algorithm: Algorithm, { group, body, key, places, effort }: Attempt): readonly Place[] {
  const candidates = places.ofLength(SIGNATURE_BYTES[algorithm]);
  if (candidates.length === 0) return [];
  effort.combinations += candidates.length * group.contents.length * key.readings.length;
  if (algorithm !== "ed25519") return places.holding(macOf(algorithm, key.object, group, body, effort));
  return candidates.filter(({ written }) => ed25519Signed([written.bytes], key.object, group, body, effort));
}
