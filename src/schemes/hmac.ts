import { type ByteEncoding, encodeBytes, isEncoded } from "./encoding.ts";
import { listElements, replaceEach } from "./header.ts";
import { DIGEST_BYTES, type HmacAlgorithm, type MacKey, mac, macIsAmong } from "./mac.ts";
import { checkHeaderName, checkNames, checkOneOf, optionRefused } from "./options.ts";
import { MAX_SIGNATURES, type SignatureScheme } from "./scheme.ts";
import { type SecretEncoding, sharedKey } from "./secret.ts";

/** The parts of a plain HMAC signature; see {@link hmacSignature}. */
export interface HmacSignatureOptions {
  /** The header that carries the signature, such as `"X-Hub-Signature-256"`. */
  readonly header: string;
  /**
   * The hash under the HMAC. `"sha1"` is for providers that have nothing better (GitHub's old `X-Hub-Signature`): HMAC-SHA1
   * is not broken, yet weak by today's measure.
   * @default "sha256"
   */
  readonly algorithm?: HmacAlgorithm;
  /**
   * How the signature is written. Hex may come in either case, base64 padded or not.
   * @default "hex"
   */
  readonly encoding?: ByteEncoding;
  /**
   * What stands before the signature, such as `"sha256="`. A signature without it is malformed.
   * @default ""
   */
  readonly prefix?: string;
  /**
   * How the key is written in the secret: `"utf8"` takes the secret's own bytes.
   * @default "utf8"
   */
  readonly secretEncoding?: SecretEncoding;
}

/**
 * A plain HMAC of the raw body in one header, as GitHub, Shopify and many others send it. Several signatures may come,
 * separated by commas; any one may match. No timestamp is signed, so `maxEventAgeMs` is what bounds replays.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" })
 */
export function hmacSignature(options: HmacSignatureOptions): SignatureScheme {
  checkNames("hmacSignature", options, ["header", "algorithm", "encoding", "prefix", "secretEncoding"]);
  const { header, algorithm = "sha256", encoding = "hex", prefix = "", secretEncoding = "utf8" } = options;
  checkHeaderName("hmacSignature", header);
  checkOneOf("hmacSignature", "algorithm", algorithm, ["sha1", "sha256", "sha512"]);
  checkOneOf("hmacSignature", "encoding", encoding, ["hex", "base64", "base64url"]);
  checkOneOf("hmacSignature", "secretEncoding", secretEncoding, ["utf8", "base64", "hex"]);
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

/** Everything about one plain HMAC scheme, with nothing left to a default. */
export interface HmacSpec {
  readonly name: string;
  readonly description: string;
  readonly header: string;
  readonly algorithm: HmacAlgorithm;
  readonly encoding: ByteEncoding;
  readonly secretEncoding: SecretEncoding;
  /** Any of these may stand before a signature; the first is what `sign` writes. */
  readonly acceptedPrefixes: readonly [string, ...string[]];
}

interface PresentedDigests {
  /** As they came, without what stood before them. */
  readonly digests: readonly string[];
}

/** Makes the scheme of its spec, which is taken as checked. */
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

/** The well-formed signatures; junk beside them cannot harm them, but it counts. */
function readDigests(spec: HmacSpec, value: string): string[] {
  const elements = listElements(value);
  if (elements === undefined || elements.length > MAX_SIGNATURES) return [];
  return replaceEach(elements, (element) => readDigest(spec, element));
}

function readDigest({ algorithm, encoding, acceptedPrefixes }: HmacSpec, element: string): string | undefined {
  for (const prefix of acceptedPrefixes) {
    if (!element.startsWith(prefix)) continue;
    const digest = element.slice(prefix.length);
    if (isEncoded(DIGEST_BYTES[algorithm], digest, encoding)) return digest;
  }
  return undefined;
}

// A comma would be taken for the list's, and spaces at its start are trimmed away before anyone looks.
function checkPrefix(prefix: string): void {
  if (typeof prefix === "string" && /^(?! )[ -+\--~]*$/.test(prefix)) return;
  throw optionRefused("hmacSignature", "prefix", "must be printable ASCII without a comma or a leading space");
}
