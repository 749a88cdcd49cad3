import { Buffer } from "node:buffer";
import { createSecretKey, type KeyObject } from "node:crypto";
import { ED25519_KEY_BYTES, ed25519PublicKey } from "../../../schemes/ed25519.ts";
import { decodeBytes } from "../../../schemes/encoding.ts";

/** Characters around a secret that are probably not part of it. */
export type SecretMistake = "whitespace" | "quotes";

/** One way to decode a secret's text to a key. */
export interface SecretDecoding {
  /** The kind of signature that the key is for. */
  readonly for: "hmac" | "ed25519";
  /** The characters around the text that are left off as a likely mistake. */
  readonly mistakes: readonly SecretMistake[];
  /** The prefix that is left off, such as `whsec_`. */
  readonly cut: string;
  readonly decode: "utf8" | "base64" | "base64url" | "hex";
}

/** A key, and the decodings that give it. */
export interface SearchKey {
  readonly for: SecretDecoding["for"];
  readonly object: KeyObject;
  readonly decodings: SecretDecoding[];
}

/** The keys that the secrets may stand for, each once. */
export function keysOf(secrets: readonly string[]): SearchKey[] {
  const keys = new Map<string, SearchKey>();
  for (const { bytes, decoding } of secrets.flatMap(decodedKeys)) {
    const id = `${decoding.for} ${Buffer.from(bytes).toString("hex")}`;
    const key = keys.get(id) ?? { for: decoding.for, object: keyObject(decoding.for, bytes), decodings: [] };
    key.decodings.push(decoding);
    keys.set(id, key);
  }
  return [...keys.values()];
}

/** A secret's key by one decoding; undefined if the secret cannot be decoded in this way. */
export function keyBytes(decoding: SecretDecoding, secret: string): Uint8Array | undefined {
  const wanted = JSON.stringify(decoding);
  return decodedKeys(secret).find((key) => JSON.stringify(key.decoding) === wanted)?.bytes;
}

/** Makes the key object of a key's bytes. */
export function keyObject(kind: SecretDecoding["for"], bytes: Uint8Array): KeyObject {
  return kind === "hmac" ? createSecretKey(bytes) : ed25519PublicKey(bytes);
}

/** The secret's text without the characters of these mistakes. */
export function correctedSecret(secret: string, mistakes: readonly SecretMistake[]): string {
  const wanted = mistakes.join();
  return correctedTexts(secret).find((corrected) => corrected.mistakes.join() === wanted)?.text ?? secret;
}

interface DecodedKey {
  readonly bytes: Uint8Array;
  readonly decoding: SecretDecoding;
}

const ENCODINGS = ["utf8", "base64", "base64url", "hex"] as const;

/** The keys that a secret may stand for, the plainest first. Several decodings may give the same bytes. */
function decodedKeys(secret: string): DecodedKey[] {
  return correctedTexts(secret).flatMap(({ text, mistakes }) => {
    const prefixes = ["", /^(?:[a-z]{2,10}_)+(?=.)/i.exec(text)?.[0] ?? ""];
    return [...new Set(prefixes)].flatMap((cut) => keysOfText(text, cut, mistakes));
  });
}

interface CorrectedText {
  readonly text: string;
  readonly mistakes: readonly SecretMistake[];
}

function correctedTexts(secret: string): CorrectedText[] {
  const texts: CorrectedText[] = [{ text: secret, mistakes: [] }];
  const trimmed = secret.trim();
  if (trimmed !== secret) texts.push({ text: trimmed, mistakes: ["whitespace"] });
  const unquoted = /^(["'`])(.*)\1$/s.exec(trimmed)?.[2];
  if (unquoted === undefined) return texts;
  texts.push({ text: unquoted, mistakes: trimmed === secret ? ["quotes"] : ["whitespace", "quotes"] });
  return texts;
}

function keysOfText(text: string, cut: string, mistakes: readonly SecretMistake[]): DecodedKey[] {
  const rest = text.slice(cut.length);
  return ENCODINGS.flatMap((decode) => {
    const bytes = decode === "utf8" ? Buffer.from(rest, "utf8") : decodeBytes(rest, decode);
    if (bytes === undefined || bytes.byteLength === 0) return [];
    return kindsOf(text, bytes, decode).map((kind) => ({ bytes, decoding: { for: kind, mistakes, cut, decode } }));
  });
}

/** The kinds of key that bytes may be. A key of an ed25519 pair is never an HMAC key; a public key may lack its prefix. */
function kindsOf(text: string, bytes: Uint8Array, decode: SecretDecoding["decode"]): SecretDecoding["for"][] {
  if (text.startsWith("whsk_")) return [];
  const mayBePublicKey = decode !== "utf8" && bytes.byteLength === ED25519_KEY_BYTES;
  if (text.startsWith("whpk_")) return mayBePublicKey ? ["ed25519"] : [];
  return mayBePublicKey ? ["hmac", "ed25519"] : ["hmac"];
}
