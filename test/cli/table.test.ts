import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import type { Output } from "../../src/cli/output.ts";
import { table } from "../../src/cli/table.ts";

const output = (columns: number | undefined, colours = false) =>
  ({ columns, colors: picocolors.createColors(colours) }) as Output;
const COLUMNS = ["name", { heading: "count", align: "right" }, ""] as const;

describe("a table", () => {
  it("has no lines, and aligns numbers to the right", () => {
    const rows = [
      ["one", "1", ""],
      ["a longer name", "1000", "odd"],
    ];
    expect(table(COLUMNS, rows, output(undefined)).split("\n")).toEqual([
      "name           count",
      "one                1",
      "a longer name   1000  odd",
    ]);
  });

  it("has bold headings with colours, and the same text", () => {
    const [plain, coloured] = [false, true].map((colours) => table(COLUMNS, [["a", "1", ""]], output(80, colours)));
    expect(coloured).toContain("\u001b[1m");
    expect(coloured?.replaceAll("\u001b[1m", "").replaceAll("\u001b[22m", "")).toBe(plain);
  });

  it("wraps at words if the terminal is narrow", () => {
    const rows = [["transfer.withdrawal.completed", "1", "the description of this event"]];
    expect(table(COLUMNS, rows, output(34)).split("\n")).toEqual([
      "name          count",
      "transfer.         1  the",
      "withdrawal.          description",
      "completed            of this event",
    ]);
  });

  it("is a list if words do not fit beside each other", () => {
    const rows = [
      ["transfer.withdrawal.completed", "1", "odd"],
      ["order.filled", "20", ""],
    ];
    expect(table(COLUMNS, rows, output(20)).split("\n")).toEqual([
      "name   transfer.",
      "       withdrawal.",
      "       completed",
      "count  1",
      "       odd",
      "",
      "name   order.filled",
      "count  20",
    ]);
  });

  it("is no wider than the terminal, with all text", () => {
    const cell = fc.array(fc.stringMatching(/^[a-z.]{1,20}$/), { maxLength: 6 }).map((words) => words.join(" "));
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 12, max: 120 }), fc.boolean(), (cells, columns, colours) => {
        const text = stripVTControlCharacters(table(COLUMNS, cells, output(columns, colours)));
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
        const letters = (of: string) => [...of.replace(/\s|name|count/g, "")].sort().join("");
        expect(letters(text)).toBe(letters(cells.flat().join(" ")));
      }),
    );
  });
});
