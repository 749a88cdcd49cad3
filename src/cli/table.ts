import Table from "cli-table3";
import type { Output } from "./output.ts";

/** Columns are not made narrower than this. */
const MIN_WIDTH = 12;
const GAP = 2;

/** A column's heading, with `align: "right"` for numbers. */
export type Column = string | { readonly heading: string; readonly align: "right" };

/**
 * A table without lines. If the terminal is too narrow, the widest columns are wrapped.
 *
 * @param rows the cells: printable text without colours
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): string {
  const headings = columns.map((column) => (typeof column === "string" ? column : column.heading));
  const widths = widthsOf([headings, ...rows], output.columns);
  const printed = new Table({
    chars: PLAIN,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map((column) => (typeof column === "string" ? "left" : column.align)),
    wordWrap: true,
    wrapOnWordBoundary: false,
  });
  printed.push(headings, ...rows.map((row) => [...row]));
  const [head = "", ...lines] = printed.toString().replace(/ +$/gm, "").split("\n");
  // Coloured as a whole, since wrapping cells would cut the escape sequences.
  return [output.colors.bold(head), ...lines].join("\n");
}

const PLAIN = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((name) => [name, ""]),
);

function widthsOf(rows: readonly (readonly string[])[], available: number | undefined): number[] {
  // cli-table3 never finishes to wrap a column of width 0.
  const widths = (rows[0] ?? []).map((_, place) => Math.max(1, ...rows.map((row) => [...(row[place] ?? "")].length)));
  let excess = widths.reduce((sum, width) => sum + width + GAP, -(available ?? Number.POSITIVE_INFINITY));
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= MIN_WIDTH) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}
