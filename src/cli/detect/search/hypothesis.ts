import type { ByteEncoding } from "../../../schemes/encoding.ts";
import { type Content, render } from "./content.ts";
import type { Captured } from "./delivery.ts";
import { type Algorithm, SIGNATURE_BYTES } from "./digest.ts";
import type { Effort } from "./effort.ts";
import { type KeyReading, keyBy } from "./key-reading.ts";
import { type Locator, locatorsOf, signaturesAt } from "./locator.ts";
import { ed25519Signed, keyObject, macOf } from "./mac.ts";
import type { Match } from "./search.ts";

/** One complete statement of how deliveries are signed. */
export interface Hypothesis {
  readonly locator: Locator;
  readonly algorithm: Algorithm;
  readonly encoding: ByteEncoding;
  readonly reading: KeyReading;
  readonly content: Content;
  /** Where in the header's value the signature ends, in the capture in which it was found. */
  readonly end: number;
  /** Whether it is padded there, as far as base64 of its length is. */
  readonly isPadded: boolean;
}

/** A hypothesis, and what it holds for. */
export interface Tested {
  readonly hypothesis: Hypothesis;
  /** For each capture the place of the secret that signed it, or undefined where none did. */
  readonly secretIndexes: readonly (number | undefined)[];
}

/** All the statements that explain a match in a delivery. */
export function hypothesesOf(match: Match, captured: Captured): Hypothesis[] {
  const { header, written, algorithm } = match;
  const { encoding, end } = written;
  const value = captured.headers.get(header)?.value ?? "";
  const isPadded = value[end - 1] === "=" || SIGNATURE_BYTES[algorithm] % 3 === 0;
  return locatorsOf(header, value, written).flatMap((locator) =>
    match.readings.flatMap((reading) =>
      match.contents.map((content) => ({ locator, algorithm, encoding, reading, content, end, isPadded })),
    ),
  );
}

/** A test of hypotheses on every capture. What several of them need is computed once. */
export function tester(
  captures: readonly Captured[],
  secrets: readonly string[],
  effort: Effort,
): (hypothesis: Hypothesis) => Tested {
  const known = new Map<string, readonly boolean[]>();
  const remembered = (capture: number, hypothesis: Hypothesis): readonly boolean[] => {
    const { locator, encoding, algorithm, reading, content } = hypothesis;
    const captured = captures[capture] as Captured;
    const value = captured.headers.get(locator.header)?.value ?? "";
    const signatures = signaturesAt(locator, value, encoding, SIGNATURE_BYTES[algorithm]);
    const rendered = render(content, captured);
    if (signatures.length === 0 || rendered === undefined) return [];
    const key = JSON.stringify([capture, algorithm, reading, rendered, signatures.map((one) => [...one])]);
    const answer = known.get(key) ?? secrets.map((secret) => signed(secret, hypothesis, captured, signatures, effort));
    known.set(key, answer);
    return answer;
  };
  return (hypothesis) => ({
    hypothesis,
    secretIndexes: captures.map((_, capture) => {
      const index = remembered(capture, hypothesis).indexOf(true);
      return index < 0 ? undefined : index;
    }),
  });
}

function signed(
  secret: string,
  { algorithm, reading, content }: Hypothesis,
  captured: Captured,
  signatures: readonly Uint8Array[],
  effort: Effort,
): boolean {
  const bytes = keyBy(reading, secret);
  const rendered = render(content, captured);
  if (bytes === undefined || rendered === undefined) return false;
  const key = keyObject(reading.for, bytes);
  if (algorithm === "ed25519") return ed25519Signed(signatures, key, rendered, captured.body, effort);
  const expected = macOf(algorithm, key, rendered, captured.body, effort);
  return signatures.some((signature) => expected.equals(signature));
}
