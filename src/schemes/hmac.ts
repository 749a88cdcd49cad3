import { checksFor } from "../options.ts";
import { type ByteEncoding, encodeBytes, isEncoded } from "./encoding.ts";
import { checkHeaderName, listElements } from "./header.ts";
import { DIGEST_BYTES, type HmacAlgorithm, type MacKey, mac, macIsAmong } from "./mac.ts";
import { MAX_SIGNATURES, type SignatureScheme } from "./scheme.ts";
import { type SecretEncoding, sharedKey } from "./secret.ts";

const checks = checksFor("hmacSignature");

/** The options of {@link hmacSignature}. */
export interface HmacSignatureOptions {
  /** The header that carries the signature, such as `"X-Hub-Signature-256"`. */
  readonly header: string;
  /**
   * The hash function of the HMAC. `"sha1"` is for providers that offer nothing better (GitHub's old `X-Hub-Signature`): HMAC-SHA1 is
   * not broken, but weak by today's standards.
   * @default "sha256"
   */
  readonly algorithm?: HmacAlgorithm;
  /**
   * How the signature is encoded. Hex is accepted in either case, base64 with or without padding.
   * @default "hex"
   */
  readonly encoding?: ByteEncoding;
  /**
   * The text before the signature, such as `"sha256="`. A signature without it is malformed.
   * @default ""
   */
  readonly prefix?: string;
  /**
   * How the key is encoded in the secret. With `"utf8"` the secret's own bytes are the key.
   * @default "utf8"
   */
  readonly secretEncoding?: SecretEncoding;
}

/**
 * A plain HMAC of the raw body in one header, as GitHub, Shopify and many others send it. The header may hold several signatures,
 * separated by commas; one must match. No timestamp is signed, so replays are bounded by `maxEventAgeMs`.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" })
 */
export function hmacSignature(options: HmacSignatureOptions): SignatureScheme {
  checks.names(options, ["header", "algorithm", "encoding", "prefix", "secretEncoding"]);
  const { header, algorithm = "sha256", encoding = "hex", prefix = "", secretEncoding = "utf8" } = options;
  checkHeaderName(checks, header);
  checks.oneOf("algorithm", algorithm, ["sha1", "sha256", "sha512"]);
  checks.oneOf("encoding", encoding, ["hex", "base64", "base64url"]);
  checks.oneOf("secretEncoding", secretEncoding, ["utf8", "base64", "hex"]);
  checkPrefix(prefix);
  return hmacScheme({
    name: "hmac",
    description: `${header}: ${prefix}<${encoding} HMAC-${algorithm.toUpperCase()} of the raw body>`,
    header,
    algorithm,
    encoding,
    secretEncoding,
    acceptedPrefixes: [prefix],
  });
}

/** A complete plain HMAC scheme, without defaults. */
export interface HmacSpec {
  /** The scheme's name in logs. */
  readonly name: string;
  /** The header that an operator should see, in words. */
  readonly description: string;
  /** The header that carries the signature. */
  readonly header: string;
  readonly algorithm: HmacAlgorithm;
  readonly encoding: ByteEncoding;
  readonly secretEncoding: SecretEncoding;
  /** The prefixes that a signature may have; `sign` writes the first. */
  readonly acceptedPrefixes: readonly [string, ...string[]];
}

interface PresentedDigests {
  /** Well-formed signatures, without their prefix, still encoded. */
  readonly digests: readonly string[];
}

/** Makes a plain HMAC scheme. Its spec is not checked. */
export function hmacScheme(spec: HmacSpec): SignatureScheme<MacKey, PresentedDigests> {
  const headerName = spec.header.toLowerCase();
  return {
    name: spec.name,
    description: spec.description,
    signsTimestamp: false,

    prepare: (secret) => sharedKey(spec.algorithm, secret, spec.secretEncoding),

    read(header) {
      const value = header(headerName);
      if (value === undefined) return "signature_missing";
      const digests = readDigests(spec, value);
      return digests.length === 0 ? "signature_malformed" : { digests };
    },

    verify({ digests }, body, keys) {
      const secretIndex = keys.findIndex((key) => macIsAmong(digests, spec.encoding, key, "", body));
      return secretIndex < 0 ? "signature_mismatch" : { secretIndex };
    },

    sign({ secret, body }) {
      const digest = mac(sharedKey(spec.algorithm, secret, spec.secretEncoding), "", body);
      return { [spec.header]: spec.acceptedPrefixes[0] + encodeBytes(digest, spec.encoding) };
    },
  };
}

/** The well-formed signatures. Malformed ones are skipped, but count towards `MAX_SIGNATURES`. */
function readDigests(spec: HmacSpec, value: string): string[] {
  const elements = listElements(value);
  if (elements === undefined || elements.length > MAX_SIGNATURES) return [];
  const digests: string[] = [];
  for (const element of elements) {
    const digest = readDigest(spec, element);
    if (digest !== undefined) digests.push(digest);
  }
  return digests;
}

function readDigest({ algorithm, encoding, acceptedPrefixes }: HmacSpec, element: string): string | undefined {
  for (const prefix of acceptedPrefixes) {
    if (!element.startsWith(prefix)) continue;
    const digest = element.slice(prefix.length);
    if (isEncoded(DIGEST_BYTES[algorithm], digest, encoding)) return digest;
  }
  return undefined;
}

// A comma separates signatures, and white space around a signature is trimmed before its prefix is compared.
function checkPrefix(prefix: string): void {
  if (typeof prefix === "string" && /^(?! )[ -+\--~]*$/.test(prefix)) return;
  throw checks.invalid("prefix", "must be printable ASCII without a comma or a leading space");
}
