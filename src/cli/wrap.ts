/**
 * Wraps a text at spaces. A word longer than a line is cut after its punctuation, or else between any two letters.
 *
 * @param width the maximum number of characters in a line, at least 1
 */
export function wrapWords(text: string, width: number): string[] {
  const words = text.split(" ").flatMap((word) => piecesOf(word, width));
  return fillLines(words, width);
}

/** The minimum width at which no word is cut between two letters. */
export function minWidth(text: string): number {
  return Math.max(1, ...text.split(" ").flatMap((word) => partsOf(word).map(lengthOf)));
}

/**
 * Wraps the lines of a help text that are too long. Indentation and the second of two columns are kept; a command (`$ …`) is
 * continued with a backslash.
 */
export function wrapText(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => (lengthOf(line) <= width ? line : wrapLine(line, width)))
    .join("\n");
}

/** The number of characters in a text. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** The indentation of the second and further lines, without a second column. */
const HANGING_INDENT = 4;

function wrapLine(line: string, width: number): string[] {
  const indent = line.length - line.trimStart().length;
  if (line.startsWith("$ ", indent)) return wrapCommand(line.slice(indent), indent, width);
  const [, first] = /^( *\S+(?: \S+)* {2,})\S/.exec(line) ?? [];
  if (first === undefined) return indented(wrapWords(line.slice(indent), room(width, indent)), indent);
  const second = line.slice(first.length);
  const longest = Math.max(...second.split(" ").map(lengthOf));
  if (first.length <= width / 2 && longest <= width - first.length) {
    const [start = "", ...others] = wrapWords(second, room(width, first.length));
    return [first + start, ...indented(others, first.length)];
  }
  const below = indent + HANGING_INDENT;
  return [
    ...indented(wrapWords(first.trim(), room(width, indent)), indent),
    ...indented(wrapWords(second, room(width, below)), below),
  ];
}

/** Continues lines with a backslash, as a shell does. Quoted words are not cut. */
function wrapCommand(command: string, indent: number, width: number): string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  // Room for the backslash and the indentation.
  const lines = fillLines(
    words.map((text) => ({ text, glued: false })),
    room(width, indent + HANGING_INDENT + 2),
  );
  return lines.map((line, index) => {
    const start = " ".repeat(index === 0 ? indent : indent + HANGING_INDENT);
    return start + line + (index === lines.length - 1 ? "" : " \\");
  });
}

function room(width: number, used: number): number {
  return Math.max(1, width - used);
}

function indented(lines: readonly string[], indent: number): string[] {
  return lines.map((line) => " ".repeat(indent) + line);
}

/** A word, or a part of a word. */
interface Piece {
  readonly text: string;
  /** Whether it follows the piece before it without a space. */
  readonly glued: boolean;
}

function piecesOf(word: string, width: number): Piece[] {
  const texts = lengthOf(word) <= width ? [word] : partsOf(word).flatMap((part) => cut(part, width));
  return texts.map((text, index) => ({ text, glued: index > 0 }));
}

/** A word, split after its punctuation. */
function partsOf(word: string): string[] {
  return word.match(/[^./,:;?&=_-]*[./,:;?&=_-]+|[^./,:;?&=_-]+/g) ?? [word];
}

function cut(text: string, width: number): string[] {
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / width) }, (_, index) =>
    characters.slice(index * width, (index + 1) * width).join(""),
  );
}

/** Puts pieces into lines, as many as fit in each. */
function fillLines(pieces: readonly Piece[], width: number): string[] {
  const lines: string[] = [];
  for (const { text, glued } of pieces) {
    const last = lines.at(-1);
    const longer = last === undefined ? undefined : last + (glued ? "" : " ") + text;
    if (longer !== undefined && lengthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}
