import { Buffer } from "node:buffer";
import type { Captured } from "./delivery.ts";
import { type Written, writtenIn } from "./digest.ts";

/** A place in a header that may be a signature. */
export interface Place {
  readonly header: string;
  readonly written: Written;
}

/** The places that are not explained yet, to be found by what a MAC comes to. */
export interface Places {
  readonly all: readonly Place[];
  /** Those of a length in bytes. */
  ofLength(bytes: number): readonly Place[];
  /** Those whose bytes are these. */
  holding(bytes: Buffer): readonly Place[];
}

/** How a header is called that probably carries a signature. */
export const SIGNATURE_NAME: RegExp = /sign|hmac|digest|hash|webhook|svix|bluum|auth|sig\b/;

/** Many an id is as long as a signature by SHA-1. */
const IS_AN_ID = /(^|[-_])(id|uuid|guid)$/;
const MAX_PLACES = 64;

/** The places of a delivery's headers, those in headers that are called signatures first. */
export function placesIn({ headers }: Captured): Places {
  const places = [...headers]
    .filter(([header]) => !IS_AN_ID.test(header))
    .flatMap(([header, { value }]) => writtenIn(value).map((written) => ({ header, written })));
  const looksSigned = ({ header }: Place) => Number(SIGNATURE_NAME.test(header));
  return indexed(places.sort((one, other) => looksSigned(other) - looksSigned(one)).slice(0, MAX_PLACES));
}

/** The places without those in some headers. */
export function without(places: Places, headers: readonly string[]): Places {
  return headers.length === 0 ? places : indexed(places.all.filter(({ header }) => !headers.includes(header)));
}

function indexed(all: readonly Place[]): Places {
  const byLength = groupedBy(all, ({ written }) => written.bytes.byteLength);
  const byBytes = groupedBy(all, ({ written }) => Buffer.from(written.bytes).toString("latin1"));
  return {
    all,
    ofLength: (bytes) => byLength.get(bytes) ?? [],
    holding: (bytes) => byBytes.get(bytes.toString("latin1")) ?? [],
  };
}

function groupedBy<Key>(all: readonly Place[], keyOf: (place: Place) => Key): Map<Key, Place[]> {
  const groups = new Map<Key, Place[]>();
  for (const place of all) groups.set(keyOf(place), [...(groups.get(keyOf(place)) ?? []), place]);
  return groups;
}
