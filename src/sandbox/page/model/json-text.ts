/** A piece of JSON text, and what it is. */
export interface Piece {
  readonly kind: "key" | "string" | "number" | "word" | "mark";
  readonly text: string;
}

const DEEPEST = 100;
/** Above this a body is indented, yet not coloured: each colour is an element of its own. */
const MOST_COLOURED = 40_000;
const TOKEN = /\s+|"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/gy;

/**
 * JSON text indented as it stands: numbers, escapes, the order of keys and their repetitions stay what they are, since nothing
 * is parsed and printed again. null where the text is no JSON, or is nested too deeply to be read by a person.
 */
export function indentJson(text: string): readonly Piece[] | null {
  if (!isJson(text)) return null;
  const tokens = (text.match(TOKEN) ?? []).filter((token) => token.trim() !== "");
  const pieces: Piece[] = [];
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") depth += 1;
    if (depth > DEEPEST) return null;
    if (next === "}" || next === "]") depth -= 1;
    pieces.push({ kind: kindOf(token, next), text: token + gapAfter(token, next, depth) });
  }
  return text.length > MOST_COLOURED ? [{ kind: "mark", text: pieces.map((piece) => piece.text).join("") }] : pieces;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function gapAfter(token: string, next: string | undefined, depth: number): string {
  const empty = (token === "{" && next === "}") || (token === "[" && next === "]");
  if (next === undefined || next === "," || next === ":" || empty) return "";
  if (token === ":") return " ";
  return `\n${"  ".repeat(depth)}`;
}

function kindOf(token: string, next: string | undefined): Piece["kind"] {
  if (token.startsWith('"')) return next === ":" ? "key" : "string";
  if (/^[-\d]/.test(token)) return "number";
  return /^[{}[\],:]$/.test(token) ? "mark" : "word";
}
