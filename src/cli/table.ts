import Table from "cli-table3";
import type { Output } from "./output.ts";
import { lengthOf, minWidth, wrapWords } from "./wrap.ts";

const GAP = 2;

/** A column's heading, with `align: "right"` for numbers. */
export type Column = string | { readonly heading: string; readonly align: "right" };

/**
 * A table without lines. If the terminal is too narrow, the widest columns are wrapped at words; if that is not enough, each row
 * becomes a list.
 *
 * @param rows the cells: printable text without colours
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): string {
  const headings = columns.map((column) => (typeof column === "string" ? column : column.heading));
  const widths = widthsOf([headings, ...rows], output.columns);
  if (widths === undefined) return rows.map((row) => listOf(headings, row, output)).join("\n\n");
  const wrapped = [headings, ...rows].map((row) =>
    row.map((cell, index) => wrapWords(cell, widths[index] ?? 1).join("\n")),
  );
  const printed = new Table({
    chars: PLAIN,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map((column) => (typeof column === "string" ? "left" : column.align)),
    // Wraps lines with characters that take two columns of the terminal.
    wordWrap: true,
    wrapOnWordBoundary: false,
  });
  printed.push(...wrapped);
  const lines = printed.toString().replace(/ +$/gm, "").split("\n");
  // Coloured as a whole, since wrapping cells would cut the escape sequences.
  const headLines = Math.max(...(wrapped[0] ?? []).map((cell) => cell.split("\n").length));
  return lines.map((line, index) => (index < headLines ? output.colors.bold(line) : line)).join("\n");
}

const PLAIN = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((name) => [name, ""]),
);

/** The widths of the columns; undefined if they do not fit beside each other without cutting words. */
function widthsOf(rows: readonly (readonly string[])[], available = Number.POSITIVE_INFINITY): number[] | undefined {
  const columns = (rows[0] ?? []).map((_, index) => rows.map((row) => row[index] ?? ""));
  // cli-table3 never finishes to wrap a column of width 0.
  const widths = columns.map((cells) => Math.max(1, ...cells.map(lengthOf)));
  const minimums = columns.map((cells) => Math.max(...cells.map(minWidth)));
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP - available);
  while (excess > 0) {
    const widest = Math.max(...widths.filter((width, index) => width > (minimums[index] ?? 0)));
    if (widest < 1) return undefined;
    const index = widths.findIndex((width, at) => width === widest && width > (minimums[at] ?? 0));
    widths[index] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/** The cells of a list are not made narrower than this. */
const MIN_CELL_WIDTH = 4;

/** A row as a list: one line per cell that is not empty, after the column's heading. */
function listOf(headings: readonly string[], row: readonly string[], { columns = 0, colors }: Output): string {
  const indent = Math.max(...headings.map(lengthOf)) + GAP;
  const lines = row.flatMap((cell, index) => {
    if (cell === "") return [];
    const [first = "", ...others] = wrapWords(cell, Math.max(MIN_CELL_WIDTH, columns - indent));
    const heading = (headings[index] ?? "").padEnd(indent);
    return [colors.bold(heading) + first, ...others.map((line) => " ".repeat(indent) + line)];
  });
  return lines.join("\n");
}
