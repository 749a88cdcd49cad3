import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonLine, printable } from "../../src/cli/printable.ts";
import { character } from "../unicode.ts";

/** Any text, control characters and lone surrogates included. */
const hostile = fc.oneof(
  fc.string({ unit: character }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(
    "\u001b[2J",
    "\u009b31m",
    "\u202eabc",
    "a\r\nb",
    "\u2028",
    "\u0007\u001b]0;title\u0007",
    "\ud800",
    "🙂".repeat(300),
  ),
);
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;

describe("text of other parties", () => {
  it("is printed without control characters, up to a length", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 50 }), (text, most) => {
        const shown = printable(text, most);
        expect(shown).not.toMatch(UNSAFE);
        expect(shown.length).toBeLessThanOrEqual(10 * most + 1);
      }),
    );
  });

  it("is unchanged if it is safe", () => {
    expect(printable("order.filled é ☃ 🙂 注文")).toBe("order.filled é ☃ 🙂 注文");
    expect(printable("\u001b[31mred")).toBe("\\u{1b}[31mred");
  });

  it("is cut at a character, with an ellipsis", () => {
    expect(printable("🙂🙂🙂", 2)).toBe("🙂🙂…");
    expect(printable("🙂🙂", 2)).toBe("🙂🙂");
    expect(printable("x".repeat(1e6), 3)).toBe("xxx…");
  });

  it("round-trips through a line of JSON without control characters", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = jsonLine({ text });
        expect(line).not.toMatch(UNSAFE);
        expect(JSON.parse(line)).toEqual({ text });
      }),
    );
  });
});
