/** A token of JSON text and its kind. */
export interface Piece {
  readonly kind: "key" | "string" | "number" | "word" | "mark";
  readonly text: string;
}

const DEEPEST = 100;
/** A longer body is indented but not coloured, because each coloured token is an element. */
const MOST_COLOURED = 40_000;
const TOKEN = /\s+|"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/gy;

/**
 * Indents JSON text without parsing and printing it: numbers, escapes, key order and repeated keys stay as they are. null if the
 * text is not JSON, or is nested too deeply to read.
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
