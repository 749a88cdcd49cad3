import { Buffer } from "node:buffer";

/** An encoding of bytes as text, in signatures and secrets. */
export type ByteEncoding = "hex" | "base64" | "base64url";

// Each is one character class and a bounded tail, so that no text makes the match backtrack.
const ALPHABET: Readonly<Record<ByteEncoding, RegExp>> = {
  hex: /^[0-9a-f]+$/i,
  base64: /^[A-Za-z0-9+/]+={0,2}$/,
  base64url: /^[A-Za-z0-9_-]+={0,2}$/,
};

/**
 * Decodes strictly. `Buffer.from` skips characters that it does not know; here text outside the alphabet, of an impossible length or
 * with wrong padding gives `undefined`. Hex may be in either case, base64 with or without padding.
 */
export function decodeBytes(text: string, encoding: ByteEncoding): Uint8Array | undefined {
  return encodedLength(text, encoding) === undefined ? undefined : Buffer.from(text, encoding);
}

/** Decodes strictly; `undefined` unless the result has exactly `length` bytes. */
export function decodeExactly(length: number, text: string, encoding: ByteEncoding): Uint8Array | undefined {
  return isEncoded(length, text, encoding) ? Buffer.from(text, encoding) : undefined;
}

/** Whether a text is the encoding of exactly `length` bytes, by the rules of {@link decodeBytes}. */
export function isEncoded(length: number, text: string, encoding: ByteEncoding): boolean {
  return encodedLength(text, encoding) === length;
}

/** Encodes bytes: hex in lower case, base64 with padding, base64url without. */
export function encodeBytes(bytes: Uint8Array, encoding: ByteEncoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}

/** How many bytes a text decodes to; undefined if it is not valid in that encoding. */
function encodedLength(text: string, encoding: ByteEncoding): number | undefined {
  if (!ALPHABET[encoding].test(text)) return undefined;
  if (encoding === "hex") return text.length % 2 === 0 ? text.length / 2 : undefined;
  // RFC 4648, section 4: padding fills up to a multiple of four, and a single last character holds no whole byte.
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (padding > 0 ? text.length % 4 !== 0 : text.length % 4 === 1) return undefined;
  return Math.floor(((text.length - padding) * 3) / 4);
}
