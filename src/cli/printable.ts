/**
 * Everything that came over the wire is somebody else's text: printed as it is, it could move the cursor, change the window's
 * title or hide what follows. Here it is made harmless, and nowhere else.
 */

// Control characters, of which ESC and CSI (U+009B) begin sequences; what turns the direction of text or takes no room; what
// stands for no character; and the separators of lines.
const HARMFUL = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Text for a person's terminal: on one line, without control, of a bounded length. What could do harm is shown as an escape, such as `\u{1b}`.
 *
 * @param maxCharacters the most code points of the text that are shown; more are cut, and an ellipsis tells so
 */
export function printable(text: string, maxCharacters: number = 200): string {
  // No code point has more than two units, so nothing that is shown is lost here.
  const characters = [...text.slice(0, 2 * maxCharacters + 2)];
  const cut = characters.length > maxCharacters || text.length > 2 * maxCharacters + 2;
  const shown = characters.slice(0, maxCharacters).join("");
  return shown.replace(HARMFUL, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`) + (cut ? "…" : "");
}

/** A value as one line of JSON that is harmless on a terminal, too: JSON leaves CSI and the turning of text as they are. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(HARMFUL, (one) =>
    one
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
