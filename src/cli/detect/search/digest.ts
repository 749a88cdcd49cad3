import { type ByteEncoding, decodeExactly } from "../../../schemes/encoding.ts";

/** What may have signed: an HMAC over one of these hashes, or an ed25519 key. */
export type Algorithm = "sha1" | "sha256" | "sha384" | "sha512" | "ed25519";

/** How many bytes each algorithm's signature has. */
export const SIGNATURE_BYTES: Readonly<Record<Algorithm, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  ed25519: 64,
};
const LENGTHS = [20, 32, 48, 64];

/** Text that could be a signature, in a header's value. */
export interface Written {
  readonly encoding: ByteEncoding;
  readonly bytes: Uint8Array;
  /** Where in the value it begins and ends. */
  readonly start: number;
  readonly end: number;
}

/** Longer values are refused by every scheme of this package. */
const MAX_VALUE_LENGTH = 8 * 1024;
/** At most this many places of one header are looked at, as in the package's own schemes. */
const MAX_WRITTEN = 16;
/** Text that stands right before a signature without anything between, as in `v1<hex>`; more is no such text. */
const GLUED = /^(?=.{1,16}$)[A-Za-z]*\d{0,4}[-_+/]?$/;

const RUNS: Readonly<Record<ByteEncoding, RegExp>> = {
  hex: /[0-9a-f]{40,160}/gi,
  base64: /[A-Za-z0-9+/]{27,160}={0,2}/g,
  base64url: /[A-Za-z0-9_-]{27,160}={0,2}/g,
};

/**
 * All that could be a signature in a header's value, by its length alone. Text without any of the four characters in which
 * base64 and base64url differ is both.
 */
export function writtenIn(value: string): Written[] {
  if (value.length > MAX_VALUE_LENGTH) return [];
  const hex = runsIn(value, "hex");
  // The letters of hex are base64 as well, and 64 of them a SHA-384 digest; that chance is none at all.
  const base64 = [...runsIn(value, "base64"), ...runsIn(value, "base64url")].filter(
    ({ start, end }) => !hex.some((one) => one.start < end && start < one.end),
  );
  const exact = base64.filter(({ glued }) => !glued);
  const chosen = exact.length > 0 ? [...hex, ...exact] : [...hex, ...base64];
  return chosen.slice(0, MAX_WRITTEN).map(({ encoding, bytes, start, end }) => ({ encoding, bytes, start, end }));
}

interface Run extends Written {
  readonly glued: boolean;
}

function runsIn(value: string, encoding: ByteEncoding): Run[] {
  return [...value.matchAll(RUNS[encoding])].flatMap(({ 0: text, index }) => {
    const lengths = LENGTHS.map((length) => ({ length, from: text.length - textLength(text, length, encoding) }));
    const exact = lengths.filter(({ from }) => from === 0);
    const glued = lengths.filter(({ from }) => from > 0 && GLUED.test(text.slice(0, from)));
    return (exact.length > 0 ? exact : glued).flatMap(({ length, from }) => {
      const bytes = decodeExactly(length, text.slice(from), encoding);
      return bytes ? [{ encoding, bytes, start: index + from, end: index + text.length, glued: from > 0 }] : [];
    });
  });
}

/** How much of a run's end that many bytes take up. */
function textLength(run: string, bytes: number, encoding: ByteEncoding): number {
  if (encoding === "hex") return bytes * 2;
  const padding = run.length - run.replace(/=+$/, "").length;
  return Math.ceil((bytes * 4) / 3) + padding;
}
