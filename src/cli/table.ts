import Table from "cli-table3";
import type { Output } from "./output.ts";

/** Columns of a table narrower than this are left as they are. */
const LEAST_WIDTH = 12;
const GAP = 2;

/** A column: its heading, and `right` for numbers. */
export type Column = string | { readonly heading: string; readonly align: "right" };

/**
 * A plain table, without lines. On a terminal that is too narrow the widest columns are wrapped.
 *
 * @param rows cells of printable text, without colours
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], output: Output): string {
  const headings = columns.map((column) => (typeof column === "string" ? column : column.heading));
  const { bold } = output.colors;
  const widths = widthsOf([headings, ...rows], output.columns);
  const printed = new Table({
    chars: PLAIN,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
    colWidths: widths.map((width) => width + GAP),
    colAligns: columns.map((column) => (typeof column === "string" ? "left" : column.align)),
    wordWrap: true,
    wrapOnWordBoundary: false,
  });
  printed.push(headings.map(bold), ...rows.map((row) => [...row]));
  return printed.toString().replace(/ +$/gm, "");
}

const PLAIN = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((name) => [name, ""]),
);

function widthsOf(rows: readonly (readonly string[])[], available: number | undefined): number[] {
  const widths = (rows[0] ?? []).map((_, place) => Math.max(...rows.map((row) => [...(row[place] ?? "")].length)));
  let excess = widths.reduce((sum, width) => sum + width + GAP, -(available ?? Number.POSITIVE_INFINITY));
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_WIDTH) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}
