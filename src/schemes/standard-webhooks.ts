import { type KeyObject, randomUUID } from "node:crypto";
import type { HeaderLookup } from "../delivery.ts";
import { checksFor } from "../options.ts";
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  ed25519IsAmong,
  ed25519PrivateKey,
  ed25519PublicKey,
  ed25519Sign,
} from "./ed25519.ts";
import { decodeBytes, decodeExactly, encodeBytes, isEncoded } from "./encoding.ts";
import { DIGEST_BYTES, type MacKey, mac, macIsAmong, macKey } from "./mac.ts";
import { DEFAULT_TOLERANCE_MS, MAX_HEADER_BYTES, MAX_SIGNATURES, type SignatureScheme } from "./scheme.ts";
import { longEnough, secretRefused } from "./secret.ts";
import { checkTolerance, isTimestamp, isWithinTolerance, timestampOf } from "./timestamp.ts";

const checks = checksFor("standardWebhooksSignature");

/** The options of {@link standardWebhooksSignature}. */
export interface StandardWebhooksOptions {
  /**
   * How far the signed timestamp may be from the receiver's clock, in either direction, in milliseconds: a whole number from 1,000
   * to 86,400,000.
   * @default 300_000
   */
  readonly toleranceMs?: number;
}

/** A key verifies one version of signature, never the other. */
type VerificationKey =
  | { readonly verifies: "v1"; readonly key: MacKey }
  | { readonly verifies: "v1a"; readonly key: KeyObject };

interface PresentedMessage {
  readonly id: string;
  readonly timestamp: string;
  /** HMAC-SHA256 digests, in base64. */
  readonly v1: readonly string[];
  /** ed25519 signatures. */
  readonly v1a: readonly Uint8Array[];
}

/**
 * Standard Webhooks 1.0 (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` and
 * `webhook-signature: v1,<base64> v1a,<base64>`, or the same with Svix's names (`svix-id` and so on). The signed content is id,
 * timestamp and raw body, joined by full stops. The signature covers the id, so the id identifies the event.
 *
 * The secret is `whsec_<base64>` (shared, verifies `v1`) or `whpk_<base64>` (ed25519 public key, verifies `v1a`). Base64 without a
 * prefix is refused: it could be a public key, and used as a shared secret it would let everyone who knows it sign. `sign` takes
 * `whsec_` or the private key, `whsk_<base64>`. The first four `v1a` signatures of a delivery are tried.
 *
 * @throws WebhookError `configuration_invalid`, naming the option that cannot work
 */
export function standardWebhooksSignature(options: StandardWebhooksOptions = {}): SignatureScheme {
  checks.names(options, ["toleranceMs"]);
  const { toleranceMs = DEFAULT_TOLERANCE_MS } = options;
  checkTolerance(checks, toleranceMs);
  const scheme: SignatureScheme<VerificationKey, PresentedMessage> = {
    name: "standard-webhooks",
    description:
      'webhook-id, webhook-timestamp: <unix seconds>, webhook-signature: v1,<base64 HMAC-SHA256 of "<id>.<timestamp>." and the raw body> or v1a,<base64 ed25519 of the same>',
    signsTimestamp: true,
    toleranceMs,

    prepare: verificationKey,

    read: readMessage,

    verify(message, body, keys, nowMs) {
      if (!isWithinTolerance(message.timestamp, nowMs, toleranceMs)) return "timestamp_out_of_tolerance";
      const secretIndex = keys.findIndex((key) => matches(message, body, key));
      return secretIndex < 0 ? "signature_mismatch" : { secretIndex, messageId: message.id };
    },

    sign({ secret, body, messageId = `msg_${randomUUID()}`, nowMs }) {
      if (!isMessageId(messageId)) throw checks.invalid("messageId", ID_REQUIREMENT);
      const timestamp = timestampOf(nowMs);
      return {
        "webhook-id": messageId,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(secret, signedPrefix(messageId, timestamp), body),
      };
    },
  };
  return scheme;
}

// The first complete set is used. Sets are never mixed: id, timestamp and signature belong together.
const HEADER_SETS = ["webhook", "svix"].map((set) => ({
  id: `${set}-id`,
  timestamp: `${set}-timestamp`,
  signature: `${set}-signature`,
}));

function readMessage(header: HeaderLookup): PresentedMessage | "signature_missing" | "signature_malformed" {
  for (const set of HEADER_SETS) {
    const id = header(set.id);
    const timestamp = id === undefined ? undefined : header(set.timestamp);
    const signatures = timestamp === undefined ? undefined : header(set.signature);
    if (id === undefined || timestamp === undefined || signatures === undefined) continue;
    return parseMessage(id, timestamp, signatures);
  }
  return "signature_missing";
}

function parseMessage(id: string, timestamp: string, signatures: string): PresentedMessage | "signature_malformed" {
  if (!isMessageId(id) || !isTimestamp(timestamp) || signatures.length > MAX_HEADER_BYTES) return "signature_malformed";
  const listed = listSignatures(signatures);
  if (listed.length > MAX_SIGNATURES) return "signature_malformed";
  const v1 = listed.filter(({ version }) => version === "v1").map(({ base64 }) => base64);
  const digests = v1.filter((base64) => isEncoded(DIGEST_BYTES.sha256, base64, "base64"));
  const v1a = ed25519Signatures(listed.filter(({ version }) => version === "v1a").map(({ base64 }) => base64));
  return digests.length + v1a.length === 0 ? "signature_malformed" : { id, timestamp, v1: digests, v1a };
}

/**
 * The signatures of versions `v1` and `v1a`, well-formed or not. The header reads `v1,<base64> v1a,<base64>`, but one that was sent twice
 * or split and joined by a proxy has further commas and spaces. So both are taken as separators, and a signature is what follows its
 * version.
 */
function listSignatures(header: string): { version: string; base64: string }[] {
  const parts = header.split(/[, \t]+/);
  return parts
    .map((version, place) => ({ version, base64: parts[place + 1] ?? "" }))
    .filter(({ version }) => version === "v1" || version === "v1a");
}

/** Verifying one costs far more than an HMAC. A sender that rotates its key sends two. */
const MAX_ED25519_SIGNATURES = 4;

function ed25519Signatures(encoded: readonly string[]): Uint8Array[] {
  return encoded
    .map((base64) => decodeExactly(ED25519_SIGNATURE_BYTES, base64, "base64"))
    .filter((signature): signature is Uint8Array => signature !== undefined)
    .slice(0, MAX_ED25519_SIGNATURES);
}

const ID_REQUIREMENT = "must be printable ASCII without spaces or full stops, at most 8 KiB long";

// With a full stop in the id, one signed text could be split in two ways, and be replayed as another message whose timestamp is taken
// from the body ("Signature scheme" in the Standard Webhooks specification).
function isMessageId(id: string): boolean {
  return id.length <= MAX_HEADER_BYTES && /^[!-\-/-~]+$/.test(id);
}

function signedPrefix(id: string, timestamp: string): string {
  return `${id}.${timestamp}.`;
}

function matches(message: PresentedMessage, body: Uint8Array, { verifies, key }: VerificationKey): boolean {
  const prefix = signedPrefix(message.id, message.timestamp);
  return verifies === "v1"
    ? macIsAmong(message.v1, "base64", key, prefix, body)
    : ed25519IsAmong(message.v1a, key, prefix, body);
}

function signature(secret: string, prefix: string, body: Uint8Array): string {
  if (secret.startsWith("whsk_")) return `v1a,${encodeBytes(ed25519Sign(privateKey(secret), prefix, body), "base64")}`;
  if (secret.startsWith("whpk_")) throw secretRefused("a public key (whpk_) cannot sign; sign with whsk_ or whsec_.");
  return `v1,${encodeBytes(mac(sharedSecret(secret), prefix, body), "base64")}`;
}

function verificationKey(secret: string): VerificationKey {
  if (secret.startsWith("whpk_")) return { verifies: "v1a", key: publicKey(secret) };
  if (secret.startsWith("whsk_")) {
    throw secretRefused("this is the private key (whsk_), which only the sender may have; use the public key, whpk_.");
  }
  return { verifies: "v1", key: sharedSecret(secret) };
}

function sharedSecret(secret: string): MacKey {
  if (!secret.startsWith("whsec_")) {
    throw secretRefused(
      "Standard Webhooks needs whsec_<base64>, or whpk_<base64> for a public key. Put whsec_ before a shared secret that has no prefix.",
    );
  }
  return macKey("sha256", longEnough(afterPrefix(secret)));
}

function publicKey(secret: string): KeyObject {
  const raw = afterPrefix(secret);
  if (raw.byteLength !== ED25519_KEY_BYTES) throw secretRefused("an ed25519 public key (whpk_) has 32 bytes.");
  return ed25519PublicKey(raw);
}

/** A private key is its 32-byte seed, or the seed followed by the public key. */
function privateKey(secret: string): KeyObject {
  const raw = afterPrefix(secret);
  if (raw.byteLength !== ED25519_KEY_BYTES && raw.byteLength !== ED25519_KEY_BYTES * 2) {
    throw secretRefused("an ed25519 private key (whsk_) has 32 or 64 bytes.");
  }
  return ed25519PrivateKey(raw.subarray(0, ED25519_KEY_BYTES));
}

function afterPrefix(secret: string): Uint8Array {
  const bytes = decodeBytes(secret.slice(secret.indexOf("_") + 1), "base64");
  if (bytes === undefined)
    throw secretRefused("the text after whsec_, whpk_ or whsk_ must be base64; copy the whole secret.");
  return bytes;
}
