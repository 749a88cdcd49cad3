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

  it("is no wider than the terminal, with all text", () => {
    const cell = fc.stringMatching(/^[a-z]{0,60}$/);
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 45, max: 120 }), fc.boolean(), (cells, columns, colours) => {
        const text = table(COLUMNS, cells, output(columns, colours)).replace("\u001b[1m", "").replace("\u001b[22m", "");
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
        const letters = (of: string) => [...of.replace(/\s/g, "")].sort().join("");
        expect(letters(text)).toBe(letters(["name", "count", ...cells.flat()].join("")));
      }),
    );
  });
});
