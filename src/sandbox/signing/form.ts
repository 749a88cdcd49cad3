import { Buffer } from "node:buffer";
import { createHmac, createPrivateKey, sign } from "node:crypto";
import type { SignatureScheme } from "../../schemes/scheme.ts";

/** What is signed before the body. */
export type SignedContent = "body" | "timestamp.body" | "id.timestamp.body";
/** How the key is made from the secret. */
export type KeyForm = "utf8" | "base64" | "hex" | "whsec" | "whsk";
type Encoding = "hex" | "base64" | "base64url";

/** How a signature is made: everything that another program needs to make the same one. */
export interface SignatureForm {
  readonly header: string;
  readonly algorithm: "sha256" | "sha1" | "sha512" | "ed25519";
  readonly content: SignedContent;
  readonly key: KeyForm;
  readonly encoding: Encoding;
  /** The header's text before the signature, split where the timestamp is. */
  readonly before: readonly string[];
}

const PROBE = { body: Buffer.from('{"probe":"ü"}', "utf8"), messageId: "msg_probe", nowMs: 1_700_000_000_000 };
const TIMESTAMP = "1700000000";

const CONTENTS: readonly SignedContent[] = ["body", "timestamp.body", "id.timestamp.body"];
const KEYS: readonly KeyForm[] = ["utf8", "base64", "hex", "whsec", "whsk"];
const ALGORITHMS = ["sha256", "sha1", "sha512", "ed25519"] as const;
const ENCODINGS: readonly Encoding[] = ["hex", "base64", "base64url"];

/**
 * Finds out how a scheme signs: lets it sign a known message, and looks for the signature among those of every known form. This also
 * works for a user's own scheme, if its form is common.
 *
 * @returns undefined if the signature has no known form
 */
export function signatureForm(scheme: SignatureScheme, secret: string): SignatureForm | undefined {
  const headers = Object.entries(scheme.sign({ ...PROBE, secret }));
  for (const candidate of candidates(secret)) {
    const found = headers.find(([, value]) => value.endsWith(candidate.signature));
    if (found === undefined) continue;
    const [header, value] = found;
    const { signature, ...form } = candidate;
    return { ...form, header, before: value.slice(0, -signature.length).split(TIMESTAMP) };
  }
  return undefined;
}

type Candidate = Omit<SignatureForm, "header" | "before"> & { readonly signature: string };

function candidates(secret: string): Candidate[] {
  return KEYS.flatMap((key) => {
    const bytes = keyBytes(secret, key);
    const algorithms = ALGORITHMS.filter((algorithm) => (algorithm === "ed25519") === (key === "whsk"));
    return bytes === undefined ? [] : algorithms.flatMap((algorithm) => candidatesUnder(bytes, { key, algorithm }));
  });
}

function candidatesUnder(bytes: Buffer, { key, algorithm }: Pick<SignatureForm, "key" | "algorithm">): Candidate[] {
  return CONTENTS.flatMap((content) => {
    const message = Buffer.concat([Buffer.from(prefixOf(content, PROBE.messageId, TIMESTAMP)), PROBE.body]);
    const made = algorithm === "ed25519" ? ed25519(bytes, message) : hmac(algorithm, bytes, message);
    return ENCODINGS.map((encoding) => ({ algorithm, content, key, encoding, signature: made.toString(encoding) }));
  });
}

/** The text that is signed before the body. */
export function prefixOf(content: SignedContent, id: string, timestamp: string): string {
  if (content === "body") return "";
  return content === "timestamp.body" ? `${timestamp}.` : `${id}.${timestamp}.`;
}

/** The key of a secret; undefined if the secret cannot have that form. */
export function keyBytes(secret: string, form: KeyForm): Buffer | undefined {
  if (form === "utf8") return Buffer.from(secret, "utf8");
  if (form === "base64" || form === "hex") return Buffer.from(secret, form);
  const prefix = `${form}_`;
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : undefined;
}

function hmac(algorithm: string, key: Buffer, message: Buffer): Buffer {
  return createHmac(algorithm, key).update(message).digest();
}

/** The DER bytes before the 32 bytes of a private key (RFC 8410, section 7). */
export const PKCS8_HEAD = "302e020100300506032b657004220420";

function ed25519(seed: Buffer, message: Buffer): Buffer {
  const der = Buffer.concat([Buffer.from(PKCS8_HEAD, "hex"), seed.subarray(0, 32)]);
  return sign(null, message, createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
}
