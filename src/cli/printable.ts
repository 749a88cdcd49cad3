/**
 * Makes text from other parties safe to print. Unescaped, it could move the cursor, change the window's title or hide what
 * follows. All such text is printed through these functions.
 */

// Control characters (ESC and CSI, U+009B, begin escape sequences), characters without width or that change the direction of
// text, unassigned characters, and line separators.
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Text for a terminal: on one line and of limited length. Unsafe characters are shown as escapes, such as `\u{1b}`.
 *
 * @param maxCharacters the most code points of the text that are shown; an ellipsis stands for the rest
 */
export function printable(text: string, maxCharacters: number = 200): string {
  // A code point has at most two units, so this slice holds all that is shown.
  const characters = [...text.slice(0, 2 * maxCharacters + 2)];
  const isCut = characters.length > maxCharacters || text.length > 2 * maxCharacters + 2;
  const shown = characters.slice(0, maxCharacters).join("");
  return shown.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`) + (isCut ? "…" : "");
}

/** A value as one line of JSON that is safe on a terminal; JSON.stringify does not escape CSI or direction marks. */
export function jsonLine(value: object): string {
  return printableJson(JSON.stringify(value));
}

/** One line of a JSON text, with unsafe characters as JSON escapes: the text stays the same JSON. */
export function printableJson(line: string): string {
  return line.replace(UNSAFE, (character) => character.split("").map(unicodeEscape).join(""));
}

/** Text as a JavaScript string literal in printable ASCII. */
export function stringLiteral(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, unicodeEscape);
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
