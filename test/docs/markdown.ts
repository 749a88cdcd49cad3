import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** A fenced code block of a page. */
export interface CodeBlock {
  /** The path of its page, from the root. */
  readonly page: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  /** The language of the fence, such as `ts`. */
  readonly language: string;
  readonly code: string;
}

/** A file of the repository, as text. */
export function readText(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

/** The fenced code blocks of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readText(page);
  return [...text.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(({ 1: language = "", 2: code = "", index }) => ({
    page,
    language,
    code,
    line: text.slice(0, index).split("\n").length + 1,
  }));
}

/** The cells of the table behind `<!-- test: name -->`, row by row, without its head. */
export function tableOf(page: string, name: string): string[][] {
  const [, behind = ""] = readText(page).split(`<!-- test: ${name} -->\n`);
  const [table = ""] = behind.split("\n\n");
  return table
    .trim()
    .split("\n")
    .slice(2)
    .map((row) => row.slice(1, -1).split("|"))
    .map((row) => row.map((cell) => cell.trim()));
}

/** The words that stand in `code` in a text. */
export function codeWords(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

/** The headings of a page, without their marks. */
export function headings(page: string, level: number): string[] {
  const withoutCode = readText(page).replace(/^```.*?^```$/gms, "");
  return [...withoutCode.matchAll(/^(#+) (.+)$/gm)]
    .filter(([, marks = ""]) => marks.length === level)
    .map(([, , heading = ""]) => heading);
}

/** The members of a union of string literals in a source file. */
export function unionMembers(source: string, name: string): string[] {
  const [, behind = ""] = readText(source).split(`export type ${name} =`);
  const [union = ""] = behind.split(";\n");
  return [...union.matchAll(/^ {2}\| "([^"]+)"/gm)].map(([, member = ""]) => member);
}
