import Table from "cli-table3";
import type { Output } from "./output.ts";
import { leastWidth, lengthOf, wrapWords } from "./wrap.ts";

const GAP = 2;

/** A column: its heading, and `right` for numbers. */
export type Column = string | { readonly heading: string; readonly align: "right" };

/**
 * A plain table, without lines. Where a terminal is too narrow the widest columns are wrapped at words; where that is not enough,
 * each row becomes a list.
 *
 * @param rows cells of printable text, without colours
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): string {
  const headings = columns.map((column) => (typeof column === "string" ? column : column.heading));
  const widths = widthsOf([headings, ...rows], output.columns);
  if (widths === undefined) return rows.map((row) => listOf(headings, row, output)).join("\n\n");
  const wrapped = [headings, ...rows].map((row) =>
    row.map((cell, place) => wrapWords(cell, widths[place] ?? 1).join("\n")),
  );
  const printed = new Table({
    chars: PLAIN,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map((column) => (typeof column === "string" ? "left" : column.align)),
    // Of letters that take two places.
    wordWrap: true,
    wrapOnWordBoundary: false,
  });
  printed.push(...wrapped);
  const lines = printed.toString().replace(/ +$/gm, "").split("\n");
  // Not in its cells: what wraps them would cut through the colours.
  const headLines = Math.max(...(wrapped[0] ?? []).map((cell) => cell.split("\n").length));
  return lines.map((line, place) => (place < headLines ? output.colors.bold(line) : line)).join("\n");
}

const PLAIN = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((name) => [name, ""]),
);

/** How wide the columns are; undefined where they have no room beside each other without words being cut. */
function widthsOf(rows: readonly (readonly string[])[], available = Number.POSITIVE_INFINITY): number[] | undefined {
  const columns = (rows[0] ?? []).map((_, place) => rows.map((row) => row[place] ?? ""));
  // A column without any width would be wrapped for ever.
  const widths = columns.map((cells) => Math.max(1, ...cells.map(lengthOf)));
  const least = columns.map((cells) => Math.max(...cells.map(leastWidth)));
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP - available);
  while (excess > 0) {
    const widest = Math.max(...widths.filter((width, place) => width > (least[place] ?? 0)));
    if (widest < 1) return undefined;
    const place = widths.findIndex((width, at) => width === widest && width > (least[at] ?? 0));
    widths[place] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/** Where the headings leave fewer, a list is wrapped as if there were as many. */
const LEAST_WIDTH = 4;

function listOf(headings: readonly string[], row: readonly string[], { columns = 0, colors }: Output): string {
  const indent = Math.max(...headings.map(lengthOf)) + GAP;
  const lines = row.flatMap((cell, place) => {
    if (cell === "") return [];
    const [first = "", ...others] = wrapWords(cell, Math.max(LEAST_WIDTH, columns - indent));
    const heading = (headings[place] ?? "").padEnd(indent);
    return [colors.bold(heading) + first, ...others.map((line) => " ".repeat(indent) + line)];
  });
  return lines.join("\n");
}
