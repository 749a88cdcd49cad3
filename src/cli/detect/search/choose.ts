import type { Part } from "./content.ts";
import type { Hypothesis, Tested } from "./hypothesis.ts";
import { SEPARATORS } from "./locator.ts";
import { SIGNATURE_NAME } from "./place.ts";

/** The likeliest explanation of one signature, and the others that explain it as well. */
export interface Choice {
  readonly chosen: Tested;
  readonly others: readonly Hypothesis[];
}

/**
 * The simplest explanation of each signature; where several are equally simple, all of them. What is the simpler one is
 * decided by where texts stand, never by chance.
 */
export function choose(tested: readonly Tested[]): Choice[] {
  const bySignature = new Map<string, Tested[]>();
  for (const one of tested) {
    const key = signatureKey(one.hypothesis);
    bySignature.set(key, [...(bySignature.get(key) ?? []), one]);
  }
  return [...bySignature.values()].flatMap((group) => simplest(group)).sort(byTrust);
}

function simplest(group: readonly Tested[]): Choice[] {
  const costs = group.map(({ hypothesis }) => costOf(hypothesis));
  const least = costs.reduce((one, other) => (isLess(other, one) ? other : one));
  return group
    .filter((_, place) => !isLess(least, costs[place] ?? []))
    .map((chosen) => ({ chosen, others: group.filter((one) => one !== chosen).map(({ hypothesis }) => hypothesis) }));
}

/** One signature is one place of one header; base64 and base64url are two readings of it. */
function signatureKey({ locator, algorithm, end }: Hypothesis): string {
  return `${locator.header} ${end} ${algorithm}`;
}

/** Compared from left to right; less is simpler. */
function costOf({ locator, encoding, isPadded, reading, content }: Hypothesis): number[] {
  const likely = isPadded ? "base64" : "base64url";
  return [
    reading.mistakes.length,
    content.reduce((sum, part) => sum + distance(part, locator.header), 0),
    locator.suffix === "" ? 0 : 1,
    SEPARATORS.indexOf(locator.separator),
    ["utf8", "base64", "base64url", "hex"].indexOf(reading.decode),
    encoding === "hex" || encoding === likely ? 0 : 1,
  ];
}

/** How far a part is from the signature: in its header, in one of the same family, in any. */
function distance(part: Part, header: string): number {
  if (part.kind === "url") return part.form.from === "request" && part.form.part === "pathname" ? 1 : 0;
  if (!("source" in part) || part.source.header === header) return 0;
  return sharedWords(part.source.header, header) > 0 ? 1 : 2;
}

function sharedWords(one: string, other: string): number {
  const words = (name: string) => name.replace(/^x-/, "").split("-");
  const others = words(other);
  const differs = words(one).findIndex((word, place) => word !== others[place]);
  return differs < 0 ? words(one).length : differs;
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const place = one.findIndex((cost, at) => cost !== other[at]);
  return place >= 0 && (one[place] ?? 0) < (other[place] ?? 0);
}

const STRENGTH = ["ed25519", "sha512", "sha384", "sha256", "sha1"];

/** Headers that are called signatures first; of one header's, the stronger. */
function byTrust({ chosen: { hypothesis: one } }: Choice, { chosen: { hypothesis: other } }: Choice): number {
  const named = ({ locator }: Hypothesis) => Number(SIGNATURE_NAME.test(locator.header));
  const strength = ({ algorithm }: Hypothesis) => STRENGTH.indexOf(algorithm);
  return named(other) - named(one) || strength(one) - strength(other);
}
