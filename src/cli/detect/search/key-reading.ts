import { Buffer } from "node:buffer";
import { ED25519_KEY_BYTES } from "../../../schemes/ed25519.ts";
import { decodeBytes } from "../../../schemes/encoding.ts";

/** What was probably not meant to be part of a secret. */
export type SecretMistake = "whitespace" | "quotes";

/** One way to make a key of a secret's text. */
export interface KeyReading {
  /** For which kind of signature. */
  readonly for: "hmac" | "ed25519";
  /** What was left off around the text, as a likely mistake. */
  readonly mistakes: readonly SecretMistake[];
  /** What was left off its beginning, such as `whsec_`. */
  readonly cut: string;
  readonly decode: "utf8" | "base64" | "base64url" | "hex";
}

/** A key, and how it was made. */
export interface ReadKey {
  readonly bytes: Uint8Array;
  readonly reading: KeyReading;
}

const DECODINGS = ["utf8", "base64", "base64url", "hex"] as const;

/** All the keys that a secret may stand for, the plainest first; several readings may give the same bytes. */
export function readingsOf(secret: string): ReadKey[] {
  return correctedTexts(secret).flatMap(({ text, mistakes }) => {
    const cuts = ["", /^(?:[a-z]{2,10}_)+(?=.)/i.exec(text)?.[0] ?? ""];
    return [...new Set(cuts)].flatMap((cut) => keysOf(text, cut, mistakes));
  });
}

/** The key that a reading makes of a secret, where it can be read so. */
export function keyBy(reading: KeyReading, secret: string): Uint8Array | undefined {
  const same = JSON.stringify(reading);
  return readingsOf(secret).find((one) => JSON.stringify(one.reading) === same)?.bytes;
}

/** The secret's text without what was probably not meant to be part of it. */
export function correctedText(secret: string, mistakes: readonly SecretMistake[]): string {
  const same = mistakes.join();
  return correctedTexts(secret).find((one) => one.mistakes.join() === same)?.text ?? secret;
}

interface CorrectedText {
  readonly text: string;
  readonly mistakes: readonly SecretMistake[];
}

function correctedTexts(secret: string): CorrectedText[] {
  const texts: CorrectedText[] = [{ text: secret, mistakes: [] }];
  const trimmed = secret.trim();
  if (trimmed !== secret) texts.push({ text: trimmed, mistakes: ["whitespace"] });
  const quoted = /^(["'`])(.*)\1$/s.exec(trimmed)?.[2];
  if (quoted === undefined) return texts;
  texts.push({ text: quoted, mistakes: trimmed === secret ? ["quotes"] : ["whitespace", "quotes"] });
  return texts;
}

function keysOf(text: string, cut: string, mistakes: readonly SecretMistake[]): ReadKey[] {
  const rest = text.slice(cut.length);
  return DECODINGS.flatMap((decode) => {
    const bytes = decode === "utf8" ? Buffer.from(rest, "utf8") : decodeBytes(rest, decode);
    if (bytes === undefined || bytes.byteLength === 0) return [];
    return kindsOf(text, bytes, decode).map((kind) => ({ bytes, reading: { for: kind, mistakes, cut, decode } }));
  });
}

/** One half of a key pair never is the key of an HMAC; a public key may come with its mark or without. */
function kindsOf(text: string, bytes: Uint8Array, decode: KeyReading["decode"]): KeyReading["for"][] {
  if (text.startsWith("whsk_")) return [];
  const isKey = decode !== "utf8" && bytes.byteLength === ED25519_KEY_BYTES;
  if (text.startsWith("whpk_")) return isKey ? ["ed25519"] : [];
  return isKey ? ["hmac", "ed25519"] : ["hmac"];
}
