import { SEPARATORS } from "./header-values.ts";
import type { Hypothesis, TestedHypothesis } from "./hypothesis.ts";
import { SIGNATURE_NAME } from "./signature-text.ts";
import type { Part } from "./signed-content.ts";

/** The likeliest explanation of a signature, and the other hypotheses that explain it as well. */
export interface Choice {
  readonly chosen: TestedHypothesis;
  readonly others: readonly Hypothesis[];
}

/** The simplest explanation of each signature; all of them if several are equally simple. The likeliest signature comes first. */
export function chooseSimplest(tested: readonly TestedHypothesis[]): Choice[] {
  const bySignature = new Map<string, TestedHypothesis[]>();
  for (const one of tested) {
    const key = signatureKey(one.hypothesis);
    bySignature.set(key, [...(bySignature.get(key) ?? []), one]);
  }
  return [...bySignature.values()].flatMap((group) => simplestOf(group)).sort(byTrust);
}

function simplestOf(group: readonly TestedHypothesis[]): Choice[] {
  const costs = group.map(({ hypothesis }) => costOf(hypothesis));
  const least = costs.reduce((a, b) => (isLess(b, a) ? b : a));
  return group
    .filter((_, index) => !isLess(least, costs[index] ?? []))
    .map((chosen) => ({ chosen, others: group.filter((one) => one !== chosen).map(({ hypothesis }) => hypothesis) }));
}

/** Identifies the signature that a hypothesis explains. The encoding is no part of it: text may be base64 and base64url. */
function signatureKey({ locator, algorithm, end }: Hypothesis): string {
  return `${locator.header} ${end} ${algorithm}`;
}

/** The criteria of simplicity, the most important first; less is simpler. */
function costOf({ locator, encoding, isPadded, decoding, content }: Hypothesis): number[] {
  const likelyBase64 = isPadded ? "base64" : "base64url";
  return [
    decoding.mistakes.length,
    content.reduce((sum, part) => sum + distance(part, locator.header), 0),
    locator.suffix === "" ? 0 : 1,
    SEPARATORS.indexOf(locator.separator),
    ["utf8", "base64", "base64url", "hex"].indexOf(decoding.decode),
    encoding === "hex" || encoding === likelyBase64 ? 0 : 1,
  ];
}

/** The distance of a part from the signature: 0 in the same header, 1 in one with a similar name, 2 in any other. */
function distance(part: Part, header: string): number {
  if (part.kind === "url") return part.form.from === "request" && part.form.part === "pathname" ? 1 : 0;
  if (!("source" in part) || part.source.header === header) return 0;
  return startAlike(part.source.header, header) ? 1 : 2;
}

function startAlike(header: string, other: string): boolean {
  const firstWord = (name: string) => name.replace(/^x-/, "").split("-")[0];
  return firstWord(header) === firstWord(other);
}

/** Compares from left to right. */
function isLess(costs: readonly number[], others: readonly number[]): boolean {
  const index = costs.findIndex((cost, at) => cost !== others[at]);
  return index >= 0 && (costs[index] ?? 0) < (others[index] ?? 0);
}

const STRENGTH = ["ed25519", "sha512", "sha384", "sha256", "sha1"];

/** Headers with the name of a signature first, then the stronger algorithm. */
function byTrust({ chosen: { hypothesis: a } }: Choice, { chosen: { hypothesis: b } }: Choice): number {
  const isNamed = ({ locator }: Hypothesis) => Number(SIGNATURE_NAME.test(locator.header));
  const strength = ({ algorithm }: Hypothesis) => STRENGTH.indexOf(algorithm);
  return isNamed(b) - isNamed(a) || strength(a) - strength(b);
}
