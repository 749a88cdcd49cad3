/**
 * Wraps a text at spaces. A word that is longer than a line is cut after its dots, slashes and the like, and only where that is not
 * enough between any two letters.
 *
 * @param width the most characters of a line, 1 or more
 */
export function wrapWords(text: string, width: number): string[] {
  const words = text.split(" ").flatMap((word) => piecesOf(word, width));
  return filled(words, width);
}

/** The shortest width at which no word is cut between two letters. */
export function leastWidth(text: string): number {
  return Math.max(1, ...text.split(" ").flatMap((word) => partsOf(word).map(lengthOf)));
}

/**
 * Wraps the lines of a help text that are too long, and leaves the others. A line keeps its indentation, the second of two columns
 * its place, and a command (`$ …`) its meaning.
 */
export function wrapText(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => (lengthOf(line) <= width ? line : wrapLine(line, width)))
    .join("\n");
}

/** How many characters a text has. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** Of the second line and the following, where there is no second column. */
const HANGING = 4;

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
  const below = indent + HANGING;
  return [
    ...indented(wrapWords(first.trim(), room(width, indent)), indent),
    ...indented(wrapWords(second, room(width, below)), below),
  ];
}

/** A backslash at the end of a line lets a shell go on with the next. What is quoted stays in one piece. */
function wrapCommand(command: string, indent: number, width: number): string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  // Room for the backslash, and for what the lines after the first are indented by.
  const lines = filled(
    words.map((text) => ({ text, glued: false })),
    room(width, indent + HANGING + 2),
  );
  return lines.map((line, place) => {
    const start = " ".repeat(place === 0 ? indent : indent + HANGING);
    return start + line + (place === lines.length - 1 ? "" : " \\");
  });
}

function room(width: number, used: number): number {
  return Math.max(1, width - used);
}

function indented(lines: readonly string[], indent: number): string[] {
  return lines.map((line) => " ".repeat(indent) + line);
}

/** A word, or a part of one: that belongs to what stands before it. */
interface Piece {
  readonly text: string;
  readonly glued: boolean;
}

function piecesOf(word: string, width: number): Piece[] {
  const texts = lengthOf(word) <= width ? [word] : partsOf(word).flatMap((part) => cut(part, width));
  return texts.map((text, place) => ({ text, glued: place > 0 }));
}

/** A word parted after its punctuation. */
function partsOf(word: string): string[] {
  return word.match(/[^./,:;?&=_-]*[./,:;?&=_-]+|[^./,:;?&=_-]+/g) ?? [word];
}

function cut(text: string, width: number): string[] {
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / width) }, (_, place) =>
    characters.slice(place * width, (place + 1) * width).join(""),
  );
}

/** Puts pieces into lines, each as full as it gets. */
function filled(pieces: readonly Piece[], width: number): string[] {
  const lines: string[] = [];
  for (const { text, glued } of pieces) {
    const last = lines.at(-1);
    const longer = last === undefined ? undefined : last + (glued ? "" : " ") + text;
    if (longer !== undefined && lengthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}
