import type { CapturedDelivery } from "../../capture.ts";
import type { SearchKey, SecretDecoding } from "./keys.ts";
import { type Effort, ed25519Signed, HASHES, macOf } from "./mac.ts";
import { type Algorithm, type Candidate, candidatesIn, SIGNATURE_BYTES } from "./signature-text.ts";
import { type Content, type ContentGroup, contentGroups } from "./signed-content.ts";

/** A candidate that is the signature of one of the contents, with the key of one of the decodings. */
export interface Match extends Candidate {
  readonly algorithm: Algorithm;
  readonly decodings: readonly SecretDecoding[];
  readonly contents: readonly Content[];
}

/** The keys and URLs to try, and the limits of a search. */
export interface SearchOptions {
  readonly keys: readonly SearchKey[];
  /** URLs that may be signed. */
  readonly urls: readonly string[];
  /** The most bytes to hash. */
  readonly hashedBytes: number;
  /** The most contents to try, the likeliest first. */
  readonly contents: number;
}

/** The result of a search. */
export interface SearchResult {
  readonly matches: readonly Match[];
  /** The number of contents that were not tried because the limit of bytes was reached. */
  readonly untried: number;
}

/**
 * Signs every content with every key and compares the result with all text in the headers that could be a signature. Each MAC is
 * computed once. When a header's signature is found, that header is not searched further.
 */
export function search(delivery: CapturedDelivery, options: SearchOptions, effort: Effort): SearchResult {
  const { keys, urls, hashedBytes, contents } = options;
  const endBytes = effort.hashedBytes + hashedBytes;
  const groups = contentGroups(delivery, urls).slice(0, contents);
  const matches: Match[] = [];
  let candidates = candidatesIn(delivery);
  for (const [index, group] of groups.entries()) {
    if (candidates.length === 0) break;
    if (effort.hashedBytes > endBytes) return { matches, untried: groups.length - index };
    const found = keys.flatMap((key) => matchesOf({ group, body: delivery.body, key, candidates, effort }));
    matches.push(...found);
    const explained = found.map(({ header }) => header);
    if (explained.length > 0) candidates = candidates.filter(({ header }) => !explained.includes(header));
  }
  return { matches, untried: 0 };
}

interface Attempt {
  readonly group: ContentGroup;
  readonly body: Uint8Array;
  readonly key: SearchKey;
  readonly candidates: readonly Candidate[];
  readonly effort: Effort;
}

/** The candidates that are signatures of one group of contents with one key. */
function matchesOf(attempt: Attempt): Match[] {
  const { key, group } = attempt;
  const algorithms: readonly Algorithm[] = key.for === "hmac" ? HASHES : ["ed25519"];
  return algorithms.flatMap((algorithm) =>
    signaturesBy(algorithm, attempt).map((candidate) => ({
      ...candidate,
      algorithm,
      decodings: key.decodings,
      contents: group.contents,
    })),
  );
}

/** The candidates that are signatures by one algorithm. Computes nothing if none has the length of its signatures. */
function signaturesBy(algorithm: Algorithm, { group, body, key, candidates, effort }: Attempt): Candidate[] {
  const ofLength = candidates.filter(({ text }) => text.bytes.byteLength === SIGNATURE_BYTES[algorithm]);
  if (ofLength.length === 0) return [];
  effort.combinations += ofLength.length * group.contents.length * key.decodings.length;
  if (algorithm === "ed25519")
    return ofLength.filter(({ text }) => ed25519Signed([text.bytes], key.object, group, body, effort));
  const mac = macOf(algorithm, key.object, group, body, effort);
  return ofLength.filter(({ text }) => mac.equals(text.bytes));
}
