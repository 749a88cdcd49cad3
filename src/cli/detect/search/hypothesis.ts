import { type ByteEncoding, decodeExactly } from "../../../schemes/encoding.ts";
import type { CapturedDelivery } from "../../capture.ts";
import { elementsOf, hasTimestamp, SEPARATORS } from "./header-values.ts";
import { keyBytes, keyObject, type SecretDecoding } from "./keys.ts";
import { type Effort, ed25519Signed, macOf } from "./mac.ts";
import type { Match } from "./search.ts";
import { type Algorithm, SIGNATURE_BYTES, type SignatureText, signatureTexts } from "./signature-text.ts";
import { type Content, type SignedText, signedText } from "./signed-content.ts";

/** A complete description of how deliveries are signed. */
export interface Hypothesis {
  readonly locator: SignatureLocator;
  readonly algorithm: Algorithm;
  readonly encoding: ByteEncoding;
  readonly decoding: SecretDecoding;
  readonly content: Content;
  /** Where the signature ends in the header's value, in the delivery in which it was found. */
  readonly end: number;
  /** Whether the signature is padded in that delivery; true if base64 of its length needs no padding. */
  readonly isPadded: boolean;
}

/** The place of a signature in a header's value: in an element of a list, after and before fixed text. */
export interface SignatureLocator {
  /** In lower case. */
  readonly header: string;
  /** The separator of the list. */
  readonly separator: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** A hypothesis, and the deliveries that it holds for. */
export interface TestedHypothesis {
  readonly hypothesis: Hypothesis;
  /** For each delivery the index of the secret that signed it, or undefined if none did. */
  readonly secretIndexes: readonly (number | undefined)[];
}

/** The hypotheses that explain a match in a delivery. */
export function hypothesesOf(match: Match, delivery: CapturedDelivery): Hypothesis[] {
  const { header, text, algorithm } = match;
  const { encoding, end } = text;
  const value = delivery.headers.get(header)?.value ?? "";
  const isPadded = value[end - 1] === "=" || SIGNATURE_BYTES[algorithm] % 3 === 0;
  return locatorsOf(header, value, text).flatMap((locator) =>
    match.decodings.flatMap((decoding) =>
      match.contents.map((content) => ({ locator, algorithm, encoding, decoding, content, end, isPadded })),
    ),
  );
}

/** Whether the text around a signature seems to be the same in every delivery. */
export function isFixed({ prefix, suffix }: SignatureLocator): boolean {
  const varies = [prefix, suffix].some((text) => hasTimestamp(text) || signatureTexts(text).length > 0);
  return !varies && !isList(prefix, suffix);
}

/** Returns a function that tests hypotheses on every delivery. MACs that several hypotheses need are computed once. */
export function hypothesisTester(
  deliveries: readonly CapturedDelivery[],
  secrets: readonly string[],
  effort: Effort,
): (hypothesis: Hypothesis) => TestedHypothesis {
  const results = new Map<string, readonly boolean[]>();
  const signedBy = (delivery: CapturedDelivery, index: number, hypothesis: Hypothesis): readonly boolean[] => {
    const { algorithm, decoding, content } = hypothesis;
    const signatures = signaturesIn(delivery, hypothesis);
    const signed = signedText(content, delivery);
    if (signatures.length === 0 || signed === undefined) return [];
    const key = JSON.stringify([index, algorithm, decoding, signed, signatures.map((bytes) => [...bytes])]);
    const sample = { signatures, signed, body: delivery.body };
    const result = results.get(key) ?? secrets.map((secret) => isSignedBy(secret, hypothesis, sample, effort));
    results.set(key, result);
    return result;
  };
  return (hypothesis) => ({
    hypothesis,
    secretIndexes: deliveries.map((delivery, index) => {
      const secretIndex = signedBy(delivery, index, hypothesis).indexOf(true);
      return secretIndex < 0 ? undefined : secretIndex;
    }),
  });
}

interface Sample {
  readonly signatures: readonly Uint8Array[];
  readonly signed: SignedText;
  readonly body: Uint8Array;
}

function isSignedBy(secret: string, { algorithm, decoding }: Hypothesis, sample: Sample, effort: Effort): boolean {
  const { signatures, signed, body } = sample;
  const bytes = keyBytes(decoding, secret);
  if (bytes === undefined) return false;
  const key = keyObject(decoding.for, bytes);
  if (algorithm === "ed25519") return ed25519Signed(signatures, key, signed, body, effort);
  const expected = macOf(algorithm, key, signed, body, effort);
  return signatures.some((signature) => expected.equals(signature));
}

/** The signatures that a delivery carries at the hypothesis's place. */
function signaturesIn({ headers }: CapturedDelivery, { locator, encoding, algorithm }: Hypothesis): Uint8Array[] {
  const { header, separator, prefix, suffix } = locator;
  return elementsOf(headers.get(header)?.value ?? "", separator)
    .filter((element) => element.startsWith(prefix) && element.endsWith(suffix))
    .map((element) => element.slice(prefix.length, element.length - suffix.length))
    .flatMap((text) => decodeExactly(SIGNATURE_BYTES[algorithm], text, encoding) ?? []);
}

/** The locators of a signature, the best first; those with fixed text around it, if there are any. */
function locatorsOf(header: string, value: string, text: SignatureText): SignatureLocator[] {
  const separators = SEPARATORS.filter((separator) => !value.slice(text.start, text.end).includes(separator));
  const locators = separators.map((separator) => locatorWith(separator, header, value, text));
  const fixed = locators.filter((locator) => isFixed(locator) && !isVersionComma(locator, value, text));
  const best = fixed.length > 0 ? fixed : locators;
  return best.sort((a, b) => Number(a.suffix !== "") - Number(b.suffix !== ""));
}

function locatorWith(
  separator: string,
  header: string,
  value: string,
  { start, end }: SignatureText,
): SignatureLocator {
  const from = start === 0 ? 0 : value.lastIndexOf(separator, start - 1) + 1;
  const next = value.indexOf(separator, end);
  const prefix = value.slice(from, start).trimStart();
  const suffix = value.slice(end, next < 0 ? value.length : next).trimEnd();
  return { header, separator, prefix, suffix };
}

/** Whether the comma is that of Standard Webhooks' list `v1,… v1,…`: it belongs to the version, and spaces separate the list. */
function isVersionComma({ separator }: SignatureLocator, value: string, { start }: SignatureText): boolean {
  return separator === "," && /(^|\s)v\d+[a-z]?,$/.test(value.slice(0, start));
}

/** Whether the text around a signature is itself a list of names and values, with another separator. */
function isList(prefix: string, suffix: string): boolean {
  return /[=:][^;&| ]*[;&| ]+[A-Za-z][\w-]*[=:]["']?$/.test(prefix) || /^["']?[;&|]/.test(suffix);
}
