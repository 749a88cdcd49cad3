import { decodeExactly, encodeBytes } from "./encoding.ts";
import { listElements } from "./header-list.ts";
import { DIGEST_BYTES, type MacKey, mac, macIsAmong } from "./mac.ts";
import { checkHeaderName, checkNames } from "./options.ts";
import { DEFAULT_TOLERANCE_MS, MAX_SIGNATURES, type SignatureScheme } from "./scheme.ts";
import { sharedKey } from "./secret.ts";
import { checkTolerance, isTimestamp, isWithinTolerance, timestampOf } from "./timestamp.ts";

/** The parts of a timestamped signature; see {@link timestampedSignature}. */
export interface TimestampedSignatureOptions {
  /** The header that carries timestamp and signatures, such as `"Stripe-Signature"`. */
  readonly header: string;
  /**
   * How far the signed timestamp may be from the receiver's clock, in either direction, in milliseconds: a whole number
   * from 1,000 to 86,400,000.
   * @default 300_000
   */
  readonly toleranceMs?: number;
}

/**
 * Each timestamp costs an HMAC over the whole body, for anyone who cares to send it. A sender signs one; a header that was
 * sent more than once brings a few.
 */
const MAX_TIMESTAMPS = 4;

/** The well-formed signatures, by the timestamp that each of them covers. */
interface PresentedByTimestamp {
  readonly byTimestamp: ReadonlyMap<string, readonly Uint8Array[]>;
}

/**
 * One header `t=<unix seconds>,v1=<hex>[,v1=<hex>]`, as Stripe sends it: each `v1` is the HMAC-SHA256 of the timestamp, a
 * full stop and the raw body, keyed with the whole secret (`whsec_` included). Other keys are ignored. Where the header
 * came twice, each `v1` belongs to the `t` closest before it; any one may match. Signatures under more than four different
 * timestamps are malformed: every one would cost an HMAC of the whole body.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * timestampedSignature({ header: "Stripe-Signature" })
 */
export function timestampedSignature(options: TimestampedSignatureOptions): SignatureScheme {
  checkNames("timestampedSignature", options, ["header", "toleranceMs"]);
  const { header: headerName, toleranceMs = DEFAULT_TOLERANCE_MS } = options;
  checkHeaderName("timestampedSignature", headerName);
  checkTolerance("timestampedSignature", toleranceMs);
  const scheme: SignatureScheme<MacKey, PresentedByTimestamp> = {
    name: "timestamped",
    description: `${headerName}: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body>`,
    signsTimestamp: true,

    prepare: (secret) => sharedKey(secret, "utf8"),

    read(header) {
      const value = header(headerName);
      if (value === undefined) return "signature_missing";
      const byTimestamp = readSignatures(listElements(value) ?? []);
      return byTimestamp.size === 0 || byTimestamp.size > MAX_TIMESTAMPS ? "signature_malformed" : { byTimestamp };
    },

    verify({ byTimestamp }, body, keys, nowMs) {
      // Stale ones are dropped before any of the cryptography: a replay costs nothing.
      const fresh = [...byTimestamp].filter(([timestamp]) => isWithinTolerance(timestamp, nowMs, toleranceMs));
      if (fresh.length === 0) return "timestamp_out_of_tolerance";
      const secretIndex = keys.findIndex((key) =>
        fresh.some(([timestamp, digests]) => macIsAmong(digests, "sha256", key, `${timestamp}.`, body)),
      );
      return secretIndex < 0 ? "signature_mismatch" : { secretIndex };
    },

    sign({ secret, body, nowMs }) {
      const timestamp = timestampOf(nowMs);
      const digest = mac("sha256", sharedKey(secret, "utf8"), `${timestamp}.`, body);
      return { [headerName]: `t=${timestamp},v1=${encodeBytes(digest, "hex")}` };
    },
  };
  return scheme;
}

function readSignatures(elements: readonly string[]): Map<string, Uint8Array[]> {
  const byTimestamp = new Map<string, Uint8Array[]>();
  if (elements.filter(isSignature).length > MAX_SIGNATURES) return byTimestamp;
  // A signature that precedes every timestamp belongs to the first.
  let timestamp = elements.find(isTime)?.slice("t=".length) ?? "";
  for (const element of elements) {
    if (isTime(element)) timestamp = element.slice("t=".length);
    if (isSignature(element)) addDigest(byTimestamp, timestamp, element.slice("v1=".length));
  }
  return byTimestamp;
}

/** Adds what is well-formed; junk beside a genuine signature cannot harm it. */
function addDigest(byTimestamp: Map<string, Uint8Array[]>, timestamp: string, hex: string): void {
  const digest = decodeExactly(DIGEST_BYTES.sha256, hex, "hex");
  if (digest === undefined || !isTimestamp(timestamp)) return;
  const others = byTimestamp.get(timestamp);
  if (others === undefined) byTimestamp.set(timestamp, [digest]);
  else others.push(digest);
}

function isTime(element: string): boolean {
  return element.startsWith("t=");
}

function isSignature(element: string): boolean {
  return element.startsWith("v1=");
}
