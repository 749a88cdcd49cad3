const UNSEEN_IN_LINES = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const UNSEEN_IN_BLOCKS = /(?![\n\t\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * One line of received text, with control and direction characters spelt out: they could make one name look like another.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN_IN_LINES, spelt);
}

/** The same for text of several lines. */
export function visibleBlock(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNSEEN_IN_BLOCKS, spelt);
}

function spelt(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
