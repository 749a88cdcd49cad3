import { Buffer } from "node:buffer";
import { isNestedTooDeeply } from "../../json.ts";

/** A body that may have been the original of a captured one, and how it was altered. */
export interface AlteredBody {
  readonly body: Buffer;
  readonly how: string;
}

/**
 * The bodies that may have been the original of a captured one: proxies and frameworks serialize JSON again, and editors add or
 * remove line breaks.
 */
export function originalBodies(body: Uint8Array): AlteredBody[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  const originals = [...beforeEdits(text), ...beforeSerializing(text)];
  const known = new Set([text]);
  return originals
    .filter((original) => !known.has(original.text) && known.add(original.text))
    .map((original) => ({ body: Buffer.from(original.text, "utf8"), how: original.how }));
}

interface OriginalText {
  readonly text: string;
  readonly how: string;
}

function beforeEdits(text: string): OriginalText[] {
  return [
    { text: text.replace(/\r?\n$/, ""), how: "a line break was added at its end" },
    { text: text.replace(/^\uFEFF/, ""), how: "a byte order mark was added" },
    { text: text.trim(), how: "white space was added around it" },
    { text: `${text}\n`, how: "the line break at its end was removed" },
    { text: `${text}\r\n`, how: "the line break at its end was removed" },
    { text: text.replaceAll("\r\n", "\n"), how: "its line breaks were converted from LF to CRLF" },
    { text: text.replace(/\r?\n/g, "\r\n"), how: "its line breaks were converted from CRLF to LF" },
    { text: `\uFEFF${text}`, how: "its byte order mark was removed" },
    { text: "", how: "the signed body is empty" },
  ];
}

/** The JSON as common languages serialize it. */
function beforeSerializing(text: string): OriginalText[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (isNestedTooDeeply(value)) return [];
  const compact = JSON.stringify(value);
  const php = compact.replaceAll("/", "\\/");
  return [
    { text: compact, how: "white space was added; the signed body is compact" },
    { text: ascii(compact), how: "its \\u escapes were decoded; the signed body is compact, in ASCII" },
    { text: php, how: "its \\/ escapes were decoded; the signed body is compact, as PHP writes it" },
    { text: ascii(php), how: "its escapes were decoded; the signed body is compact, as PHP writes it" },
    ...[2, 4, "\t"].map((indent) => ({
      text: JSON.stringify(value, null, indent),
      how: "its white space was removed; the signed body is indented",
    })),
    {
      text: spaced(value),
      how: "its white space was changed; the signed body has a space after each colon and comma, as Python writes it",
    },
    { text: ascii(spaced(value)), how: "it was serialized again; the signed body is ASCII, as Python writes it" },
  ];
}

function ascii(json: string): string {
  return json.replace(/[^\0-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** JSON with a space after each colon and comma. */
function spaced(value: unknown): string {
  // These line breaks are never inside a string, where a line break is an escape.
  return JSON.stringify(value, null, 1)
    .replace(/([[{])\n */g, "$1")
    .replace(/\n *([\]}])/g, "$1")
    .replace(/,\n */g, ", ");
}
