import type { Captured } from "../search/delivery.ts";
import { writtenIn } from "../search/digest.ts";
import type { Effort } from "../search/effort.ts";
import { type Hypothesis, hypothesesOf, type Tested } from "../search/hypothesis.ts";
import { SIGNATURE_NAME } from "../search/place.ts";
import { type SearchKey, search } from "../search/search.ts";
import { alteredBodies } from "./altered-body.ts";
import { headerName, wordingOf } from "./wording.ts";

/** What was tried in vain. */
export interface InVain {
  readonly captured: readonly Captured[];
  /** What holds for some captures. */
  readonly candidates: readonly Tested[];
  readonly secrets: readonly string[];
  readonly keys: readonly SearchKey[];
  readonly urls: readonly string[];
  readonly effort: Effort;
}

/** Why nothing matches, as far as it can be told: the surest reason first. */
export function reasons(tried: InVain): string[] {
  if (tried.captured.length === 0) return ["There is no capture."];
  const partly = partlyHolds(tried);
  if (partly !== undefined) return [partly];
  const altered = tried.captured.slice(0, 2).flatMap((captured) => alteredReason(captured, tried) ?? []);
  if (altered.length > 0) return altered;
  return [
    ...distinct(tried.captured.flatMap((captured) => [...incomplete(captured), ...unusual(captured, tried.secrets)])),
    ...secretReasons(tried.secrets),
    ...signatureReasons(tried.captured),
  ];
}

function partlyHolds({ captured, candidates }: InVain): string | undefined {
  const count = ({ secretIndexes }: Tested) => secretIndexes.filter((index) => index !== undefined).length;
  const best = candidates.reduce<Tested | undefined>(
    (one, other) => (one && count(one) >= count(other) ? one : other),
    undefined,
  );
  const first = captured[0];
  if (best === undefined || first === undefined || count(best) === 0) return undefined;
  const missed = captured.filter((_, place) => best.secretIndexes[place] === undefined).map(({ name }) => name);
  return `${said(best.hypothesis, first)} holds for ${count(best)} of ${captured.length} captures, not for ${missed.join(", ")}: was it sent to another endpoint, signed with another secret, or altered?`;
}

/** For each of the bodies that were perhaps signed. */
const ALTERED_BOUNDS = { hashedBytes: 8 * 1024 * 1024, contents: 48 };

/** Whether a capture's signature is that of its body as something else prints it. */
function alteredReason(captured: Captured, { keys, urls, effort }: InVain): string | undefined {
  for (const { body, how } of alteredBodies(captured.body)) {
    const original = { ...captured, body };
    const [match] = search(original, { ...ALTERED_BOUNDS, keys, urls }, effort).matches;
    const hypothesis = match && hypothesesOf(match, original)[0];
    if (hypothesis) {
      return `The body of ${captured.name} was altered on the way: ${how}. Secret and signature agree (${said(hypothesis, captured)}). Something between the provider and the capture reads the body and prints it again; capture the bytes as they come.`;
    }
  }
  return undefined;
}

function said(hypothesis: Hypothesis, captured: Captured): string {
  const { header, signature, signed, key } = wordingOf(hypothesis, captured);
  return `${header}: ${signature}, of ${signed}, keyed with ${key}`;
}

function incomplete({ name, headers, body }: Captured): string[] {
  const length = headers.get("content-length")?.value;
  const coding = headers.get("content-encoding")?.value;
  return [
    ...(length !== undefined && /^\d{1,15}$/.test(length) && Number(length) !== body.byteLength
      ? [
          `The body of ${name} has ${body.byteLength} bytes and its Content-Length says ${length}: it is not what was sent.`,
        ]
      : []),
    ...(coding !== undefined && coding !== "identity"
      ? [
          `${name} came with a Content-Encoding: something compressed the body after it was signed, or the provider signs it compressed.`,
        ]
      : []),
    ...(body.byteLength === 0 ? [`The body of ${name} is empty.`] : []),
  ];
}

/** Headers that authenticate in another way than by an HMAC that was tried. */
function unusual(captured: Captured, secrets: readonly string[]): string[] {
  return [...captured.headers].flatMap(([header, { value }]) => {
    const name = headerName(header, captured);
    if (secrets.some((secret) => value === secret || value === `Bearer ${secret}`)) {
      return [`${name} carries the secret itself. That is no signature: whoever sees one delivery can send others.`];
    }
    if (!SIGNATURE_NAME.test(header)) return [];
    if (/^(?:\S+ )?[\w-]{10,}\.[\w-]*\.[\w-]{10,}$/.test(value))
      return [`${name} looks like a JSON Web Token, which was not tried.`];
    if (/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i.test(value))
      return [`${name} carries 16 bytes in hex, as MD5 or a cut digest has; those were not tried.`];
    if (/[A-Za-z0-9+/_-]{342,344}/.test(value))
      return [`${name} carries some 256 bytes, as an RSA signature has; those need a public key and were not tried.`];
    return [];
  });
}

function secretReasons(secrets: readonly string[]): string[] {
  return secrets.some((secret) => secret.startsWith("whsk_"))
    ? ["A secret that begins with whsk_ is a private key, which only the sender may hold; give the public key, whpk_."]
    : [];
}

function signatureReasons(captured: readonly Captured[]): string[] {
  const unsigned = captured.filter(
    ({ headers }) => ![...headers.values()].some(({ value }) => writtenIn(value).length > 0),
  );
  if (unsigned.length > 0) {
    return [
      `No header of ${unsigned.map(({ name }) => name).join(", ")} carries anything as long as a signature: was it signed at all, or did a proxy drop the header?`,
    ];
  }
  return [
    "Most likely the secret is another one: that of another endpoint or environment, or cut when it was copied.",
    "Or the body was altered in a way that was not tried, or the provider signs something that was not.",
  ];
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
