import { type CapturedDelivery, headerName } from "../../capture.ts";
import { hypothesesOf, type TestedHypothesis } from "../search/hypothesis.ts";
import type { SearchKey } from "../search/keys.ts";
import type { Effort } from "../search/mac.ts";
import { search } from "../search/search.ts";
import { SIGNATURE_NAME, signatureTexts } from "../search/signature-text.ts";
import { originalBodies } from "./altered-body.ts";
import { summarize } from "./describe.ts";

/** A search that found no scheme for all deliveries. */
export interface FailedSearch {
  readonly deliveries: readonly CapturedDelivery[];
  /** The hypotheses that match some of the deliveries. */
  readonly candidates: readonly TestedHypothesis[];
  readonly secrets: readonly string[];
  readonly keys: readonly SearchKey[];
  readonly urls: readonly string[];
  readonly effort: Effort;
}

/** The probable reasons why nothing matches, the surest first. */
export function reasonsForNoMatch(failed: FailedSearch): string[] {
  const { deliveries, secrets } = failed;
  if (deliveries.length === 0) return ["There is no capture."];
  const partial = partialMatch(failed);
  if (partial !== undefined) return [partial];
  const altered = deliveries.slice(0, 2).flatMap((delivery) => alteredBody(delivery, failed) ?? []);
  if (altered.length > 0) return altered;
  return [
    ...new Set(deliveries.flatMap((delivery) => [...bodyReasons(delivery), ...headerReasons(delivery, secrets)])),
    ...secretReasons(secrets),
    ...generalReasons(deliveries),
  ];
}

function partialMatch({ deliveries, candidates }: FailedSearch): string | undefined {
  const count = ({ secretIndexes }: TestedHypothesis) => secretIndexes.filter((index) => index !== undefined).length;
  const [best] = [...candidates].sort((a, b) => count(b) - count(a));
  const [first] = deliveries;
  if (best === undefined || first === undefined || count(best) === 0) return undefined;
  const missed = deliveries.filter((_, index) => best.secretIndexes[index] === undefined).map(({ name }) => name);
  return `${count(best)} of ${deliveries.length} captures have a valid signature (${summarize(best.hypothesis, first)}), but not ${missed.join(", ")}: from another endpoint, signed with another secret, or altered.`;
}

/** The limits of the search for each body that may have been the original. */
const ALTERED_BODY_LIMITS = { hashedBytes: 8 * 1024 * 1024, contents: 48 };

/** Says so if a delivery's signature is that of its body before it was altered. */
function alteredBody(delivery: CapturedDelivery, { keys, urls, effort }: FailedSearch): string | undefined {
  for (const { body, how } of originalBodies(delivery.body)) {
    const original = { ...delivery, body };
    const [match] = search(original, { ...ALTERED_BODY_LIMITS, keys, urls }, effort).matches;
    const hypothesis = match && hypothesesOf(match, original)[0];
    if (hypothesis)
      return `The body of ${delivery.name} was altered in transit: ${how}. The secret and the signature are right (${summarize(hypothesis, delivery)}). Something between the provider and the capture parses the body and serializes it again; capture the bytes as they are received.`;
  }
  return undefined;
}

function bodyReasons({ name, headers, body }: CapturedDelivery): string[] {
  const reasons: string[] = [];
  const length = headers.get("content-length")?.value;
  if (length !== undefined && /^\d{1,15}$/.test(length) && Number(length) !== body.byteLength)
    reasons.push(
      `The body of ${name} has ${body.byteLength} bytes, but its Content-Length is ${length}: it is incomplete or altered.`,
    );
  const coding = headers.get("content-encoding")?.value;
  if (coding !== undefined && coding !== "identity")
    reasons.push(
      `${name} has a Content-Encoding: the body was compressed after it was signed, or the provider signs it compressed.`,
    );
  if (body.byteLength === 0) reasons.push(`The body of ${name} is empty.`);
  return reasons;
}

/** Headers with another kind of authentication than those that are tried. */
function headerReasons(delivery: CapturedDelivery, secrets: readonly string[]): string[] {
  return [...delivery.headers].flatMap(([header, { value }]) => {
    const name = headerName(header, delivery);
    if (secrets.some((secret) => value === secret || value === `Bearer ${secret}`))
      return [
        `${name} carries the secret itself. That is not a signature: anyone who sees one delivery can send others.`,
      ];
    if (!SIGNATURE_NAME.test(header)) return [];
    if (/^(?:\S+ )?[\w-]{10,}\.[\w-]*\.[\w-]{10,}$/.test(value))
      return [`${name} looks like a JSON Web Token; those are not tried.`];
    if (/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.test(value))
      return [`${name} carries 16 bytes in hex, as MD5 or a truncated digest has; those are not tried.`];
    if (/[A-Za-z0-9+/_-]{342,344}/.test(value))
      return [`${name} carries about 256 bytes, as an RSA signature has; those need a public key and are not tried.`];
    return [];
  });
}

function secretReasons(secrets: readonly string[]): string[] {
  return secrets.some((secret) => secret.startsWith("whsk_"))
    ? ["A secret that begins with whsk_ is a private key, which only the sender may have; use the public key, whpk_."]
    : [];
}

function generalReasons(deliveries: readonly CapturedDelivery[]): string[] {
  const isSigned = ({ headers }: CapturedDelivery) =>
    [...headers.values()].some(({ value }) => signatureTexts(value).length > 0);
  const unsigned = deliveries.filter((delivery) => !isSigned(delivery)).map(({ name }) => name);
  if (unsigned.length > 0)
    return [
      `No header of ${unsigned.join(", ")} carries anything as long as a signature: it is not signed, or a proxy removed the header.`,
    ];
  return [
    "Most likely the secret is wrong: it is that of another endpoint or environment, or it was cut off when it was copied.",
    "Otherwise the body was altered in a way that is not tried, or the provider signs content that is not tried.",
  ];
}
