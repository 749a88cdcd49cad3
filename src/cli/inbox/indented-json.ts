/** Levels of indentation; a text with more is left as it is. */
const MAX_LEVELS = 100;

/** A string, a bracket, a comma, a colon, or a number or word. White space between them is left out. */
const TOKENS = /"(?:[^"\\]+|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;

/**
 * The lines of a JSON text, indented. Every number and string stays as it was written: `10.00` does not become `10`.
 *
 * @returns the text's own lines if it is no JSON, or nested too deeply
 */
export function indentedJson(text: string): string[] {
  const indented = isJson(text) ? linesOf(text.match(TOKENS) ?? []) : undefined;
  return indented ?? text.split("\n");
}

/** Undefined if it is nested too deeply. */
function linesOf(tokens: readonly string[]): string[] | undefined {
  const lines: string[] = [];
  let line = "";
  let level = 0;
  for (const [index, token] of tokens.entries()) {
    if (closes(token)) level -= 1;
    if (level > MAX_LEVELS) return undefined;
    if (isAtStart(token, tokens[index - 1])) {
      lines.push(line);
      line = "  ".repeat(level);
    }
    line += token === ":" ? ": " : token;
    if (opens(token)) level += 1;
  }
  return [...lines, line];
}

/** Whether a line begins with a token. The two brackets of an empty object or array stay together. */
function isAtStart(token: string, before: string | undefined): boolean {
  return opens(before) ? !closes(token) : before === "," || closes(token);
}

function opens(token: string | undefined): boolean {
  return token === "{" || token === "[";
}

function closes(token: string | undefined): boolean {
  return token === "}" || token === "]";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
