import { Buffer } from "node:buffer";
import { isNestedDeeply } from "./nesting.ts";

/** A body as it may have been before something changed it, and what that would have been. */
export interface AlteredBody {
  readonly body: Uint8Array;
  readonly how: string;
}

/**
 * The bodies of which a captured one may be a re-print: what proxies, frameworks and people with an editor do to JSON. Each comes
 * with what has happened if its signature matches.
 */
export function alteredBodies(body: Uint8Array): AlteredBody[] {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
  const texts = [...edits(text), ...reprints(text)];
  const known = new Set([text]);
  return texts
    .filter(({ text: one }) => !known.has(one) && known.add(one))
    .map(({ text: one, how }) => ({ body: Buffer.from(one, "utf8"), how }));
}

interface AlteredText {
  readonly text: string;
  readonly how: string;
}

function edits(text: string): AlteredText[] {
  return [
    { text: text.replace(/\r?\n$/, ""), how: "a line break was added at its end" },
    { text: text.replace(/^\uFEFF/, ""), how: "a byte order mark was put before it" },
    { text: text.trim(), how: "white space was added around it" },
    { text: `${text}\n`, how: "the line break at its end was taken off" },
    { text: `${text}\r\n`, how: "the line break at its end was taken off" },
    { text: text.replaceAll("\r\n", "\n"), how: "its line breaks were turned from LF into CRLF" },
    { text: text.replace(/\r?\n/g, "\r\n"), how: "its line breaks were turned from CRLF into LF" },
    { text: `\uFEFF${text}`, how: "its byte order mark was taken off" },
    { text: "", how: "it is not what was signed: the signature is of an empty body" },
  ];
}

/** How the common languages print JSON. */
function reprints(text: string): AlteredText[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (isNestedDeeply(value)) return [];
  const compact = JSON.stringify(value);
  return [
    { text: compact, how: "it was printed with white space; what was signed is compact" },
    { text: ascii(compact), how: "its \\u escapes were decoded; what was signed is compact, in ASCII" },
    {
      text: compact.replaceAll("/", "\\/"),
      how: "its \\/ escapes were undone; what was signed is compact, as PHP prints it",
    },
    {
      text: ascii(compact.replaceAll("/", "\\/")),
      how: "its escapes were undone; what was signed is compact, as PHP prints it",
    },
    ...[2, 4, "\t"].map((indent) => ({
      text: JSON.stringify(value, null, indent),
      how: "its white space was taken out; what was signed is indented",
    })),
    {
      text: spaced(value),
      how: "its white space was changed; what was signed has a space after each colon and comma, as Python prints it",
    },
    { text: ascii(spaced(value)), how: "it was printed again; what was signed is as Python prints it, in ASCII" },
  ];
}

function ascii(json: string): string {
  return json.replace(/[^\0-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** JSON with a space after each colon and comma. */
function spaced(value: unknown): string {
  // The printer's own line breaks stand outside of strings only: inside, a line break is an escape.
  return JSON.stringify(value, null, 1)
    .replace(/([[{])\n */g, "$1")
    .replace(/\n *([\]}])/g, "$1")
    .replace(/,\n */g, ", ");
}
