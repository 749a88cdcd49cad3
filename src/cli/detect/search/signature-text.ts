import { type ByteEncoding, decodeExactly } from "../../../schemes/encoding.ts";
import type { CapturedDelivery } from "../../capture.ts";

/** The algorithms that are tried: HMAC with one of these hashes, and ed25519. */
export type Algorithm = "sha1" | "sha256" | "sha384" | "sha512" | "ed25519";

/** The length of each algorithm's signature. */
export const SIGNATURE_BYTES: Readonly<Record<Algorithm, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  ed25519: 64,
};
const LENGTHS = [20, 32, 48, 64];

/** Text in a header's value that could be a signature. */
export interface SignatureText {
  readonly encoding: ByteEncoding;
  readonly bytes: Uint8Array;
  /** Where the text starts and ends in the value. */
  readonly start: number;
  readonly end: number;
}

/** A header, and text in its value that could be a signature. */
export interface Candidate {
  readonly header: string;
  readonly text: SignatureText;
}

/** Names of headers that probably carry a signature. */
export const SIGNATURE_NAME: RegExp = /sign|hmac|digest|hash|webhook|svix|bluum|auth|sig\b/;

/** Names of headers that carry an id: many ids are as long as a SHA-1 signature. */
const ID_NAME = /(^|[-_])(id|uuid|guid)$/;
const MAX_CANDIDATES = 64;

/** All text in a delivery's headers that could be a signature; headers with the name of a signature first. */
export function candidatesIn({ headers }: CapturedDelivery): Candidate[] {
  const candidates = [...headers]
    .filter(([header]) => !ID_NAME.test(header))
    .flatMap(([header, { value }]) => signatureTexts(value).map((text) => ({ header, text })));
  const likelihood = ({ header }: Candidate) => Number(SIGNATURE_NAME.test(header));
  return candidates.sort((a, b) => likelihood(b) - likelihood(a)).slice(0, MAX_CANDIDATES);
}

/** Longer values are refused by every scheme of this package. */
const MAX_VALUE_LENGTH = 8 * 1024;
/** The most texts of one header, as in the package's own schemes. */
const MAX_TEXTS = 16;
/** A prefix that may precede a signature without a separator, as in `v1<hex>`. */
const ATTACHED_PREFIX = /^(?=.{1,16}$)[A-Za-z]*\d{0,4}[-_+/]?$/;

const PATTERNS: Readonly<Record<ByteEncoding, RegExp>> = {
  hex: /[0-9a-f]{40,160}/gi,
  base64: /[A-Za-z0-9+/]{27,160}={0,2}/g,
  base64url: /[A-Za-z0-9_-]{27,160}={0,2}/g,
};

/**
 * All text in a header's value that has the length of a signature. Text without any character in which base64 and base64url
 * differ is listed as both.
 */
export function signatureTexts(value: string): SignatureText[] {
  if (value.length > MAX_VALUE_LENGTH) return [];
  const hex = textsIn(value, "hex");
  // A hex text also matches base64, as a signature of another length: that it is one is too unlikely to be tried.
  const base64 = [...textsIn(value, "base64"), ...textsIn(value, "base64url")].filter(
    ({ start, end }) => !hex.some((other) => other.start < end && start < other.end),
  );
  const separate = base64.filter(({ isAttached }) => !isAttached);
  const texts = [...hex, ...(separate.length > 0 ? separate : base64)];
  return texts.slice(0, MAX_TEXTS).map(({ encoding, bytes, start, end }) => ({ encoding, bytes, start, end }));
}

interface FoundText extends SignatureText {
  /** Whether a prefix precedes it without a separator. */
  readonly isAttached: boolean;
}

function textsIn(value: string, encoding: ByteEncoding): FoundText[] {
  return [...value.matchAll(PATTERNS[encoding])].flatMap(({ 0: text, index }) => {
    const lengths = LENGTHS.map((length) => ({ length, from: text.length - encodedLength(text, length, encoding) }));
    const whole = lengths.filter(({ from }) => from === 0);
    const attached = lengths.filter(({ from }) => from > 0 && ATTACHED_PREFIX.test(text.slice(0, from)));
    return (whole.length > 0 ? whole : attached).flatMap(({ length, from }) => {
      const bytes = decodeExactly(length, text.slice(from), encoding);
      return bytes ? [{ encoding, bytes, start: index + from, end: index + text.length, isAttached: from > 0 }] : [];
    });
  });
}

/** How many characters so many bytes take, with the padding that the text has. */
function encodedLength(text: string, bytes: number, encoding: ByteEncoding): number {
  if (encoding === "hex") return bytes * 2;
  const padding = text.length - text.replace(/=+$/, "").length;
  return Math.ceil((bytes * 4) / 3) + padding;
}
