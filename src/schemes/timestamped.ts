import { checksFor } from "../options.ts";
import { encodeBytes, isEncoded } from "./encoding.ts";
import { checkHeaderName, listElements } from "./header.ts";
import { DIGEST_BYTES, type MacKey, mac, macIsAmong } from "./mac.ts";
import { DEFAULT_TOLERANCE_MS, MAX_SIGNATURES, type SignatureScheme } from "./scheme.ts";
import { sharedKey } from "./secret.ts";
import { checkTolerance, isTimestamp, isWithinTolerance, timestampOf } from "./timestamp.ts";

const checks = checksFor("timestampedSignature");

/** The options of {@link timestampedSignature}. */
export interface TimestampedSignatureOptions {
  /** The header that carries timestamp and signatures, such as `"Stripe-Signature"`. */
  readonly header: string;
  /**
   * How far the signed timestamp may be from the receiver's clock, in either direction, in milliseconds: a whole number from 1,000
   * to 86,400,000.
   * @default 300_000
   */
  readonly toleranceMs?: number;
}

/**
 * Each timestamp costs an HMAC of the whole body, even in a forged request. A sender signs one; a header that was sent more than once
 * has a few.
 */
const MAX_TIMESTAMPS = 4;

/** The well-formed signatures that cover one timestamp. */
interface SignedTimestamp {
  readonly timestamp: string;
  /** In hex. */
  readonly digests: string[];
}

interface PresentedTimestamps {
  readonly signed: readonly SignedTimestamp[];
}

/**
 * One header `t=<unix seconds>,v1=<hex>[,v1=<hex>]`, as Stripe sends it: each `v1` is the HMAC-SHA256 of the timestamp, a
 * full stop and the raw body, keyed with the whole secret (`whsec_` included). Elements other than `t` and `v1` are ignored. If the
 * header was sent twice, each `v1` belongs to the closest `t` before it; one must match. Signatures under more than four different
 * timestamps are malformed: each timestamp would cost an HMAC of the whole body.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 * @example
 * timestampedSignature({ header: "Stripe-Signature" })
 */
export function timestampedSignature(options: TimestampedSignatureOptions): SignatureScheme {
  checks.names(options, ["header", "toleranceMs"]);
  const { header: headerName, toleranceMs = DEFAULT_TOLERANCE_MS } = options;
  checkHeaderName(checks, headerName);
  checkTolerance(checks, toleranceMs);
  const lowerName = headerName.toLowerCase();
  const scheme: SignatureScheme<MacKey, PresentedTimestamps> = {
    name: "timestamped",
    description: `${headerName}: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body>`,
    signsTimestamp: true,
    toleranceMs,

    prepare: (secret) => sharedKey("sha256", secret, "utf8"),

    read(header) {
      const value = header(lowerName);
      if (value === undefined) return "signature_missing";
      const signed = readSignatures(listElements(value) ?? []);
      return signed.length === 0 || signed.length > MAX_TIMESTAMPS ? "signature_malformed" : { signed };
    },

    verify({ signed }, body, keys, nowMs) {
      // Timestamps outside the tolerance are dropped before any HMAC is computed, so a replay costs next to nothing.
      const fresh = signed.filter(({ timestamp }) => isWithinTolerance(timestamp, nowMs, toleranceMs));
      if (fresh.length === 0) return "timestamp_out_of_tolerance";
      const secretIndex = keys.findIndex((key) => isSigned(fresh, key, body));
      return secretIndex < 0 ? "signature_mismatch" : { secretIndex };
    },

    sign({ secret, body, nowMs }) {
      const timestamp = timestampOf(nowMs);
      const digest = mac(sharedKey("sha256", secret, "utf8"), `${timestamp}.`, body);
      return { [headerName]: `t=${timestamp},v1=${encodeBytes(digest, "hex")}` };
    },
  };
  return scheme;
}

function isSigned(presented: readonly SignedTimestamp[], key: MacKey, body: Uint8Array): boolean {
  return presented.some(({ timestamp, digests }) => macIsAmong(digests, "hex", key, `${timestamp}.`, body));
}

function readSignatures(elements: readonly string[]): SignedTimestamp[] {
  const signed: SignedTimestamp[] = [];
  let timestamp: string | undefined;
  let signatures = 0;
  for (const element of elements) {
    if (isTime(element)) timestamp = timeIn(element);
    if (!isSignature(element)) continue;
    signatures += 1;
    if (signatures > MAX_SIGNATURES) return [];
    // A signature before the first timestamp belongs to that timestamp.
    timestamp ??= timeIn(elements.find(isTime) ?? "");
    addDigest(signed, timestamp, element.slice("v1=".length));
  }
  return signed;
}

/** Adds a signature if it is well-formed; malformed ones are skipped. */
function addDigest(signed: SignedTimestamp[], timestamp: string, digest: string): void {
  if (!isEncoded(DIGEST_BYTES.sha256, digest, "hex") || !isTimestamp(timestamp)) return;
  const known = signed.find((each) => each.timestamp === timestamp);
  if (known === undefined) signed.push({ timestamp, digests: [digest] });
  else known.digests.push(digest);
}

function timeIn(element: string): string {
  return element.slice("t=".length);
}

function isTime(element: string): boolean {
  return element.startsWith("t=");
}

function isSignature(element: string): boolean {
  return element.startsWith("v1=");
}
