import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indentedJson } from "../../src/cli/inbox/indented-json.ts";
import { inFull, runs } from "../exhaustive.ts";

describe("indentedJson", () => {
  it("prints what JSON.stringify prints with two spaces, for values that it prints", inFull, () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.boolean(), (value, spaced) => {
        const text = JSON.stringify(value, null, spaced ? 3 : 0);
        expect(indentedJson(text).join("\n")).toBe(JSON.stringify(value, null, 2));
      }),
      { numRuns: runs(200, 20_000) },
    );
  });

  it("keeps numbers and escapes as they were written", () => {
    expect(indentedJson('{"a":10.00,"b":12345678901234567890,"c":"\\u0041\\"[{,:"}')).toEqual([
      "{",
      '  "a": 10.00,',
      '  "b": 12345678901234567890,',
      '  "c": "\\u0041\\"[{,:"',
      "}",
    ]);
  });

  it("leaves a text that is no JSON, or nested a thousand times, as it is", () => {
    expect(indentedJson('{"a":\n1')).toEqual(['{"a":', "1"]);
    const deep = "[".repeat(1_000) + "]".repeat(1_000);
    expect(indentedJson(deep)).toEqual([deep]);
  });

  it("indents a megabyte in one string, and in many numbers", () => {
    const long = JSON.stringify({
      text: "é\\n".repeat(300_000),
      numbers: Array.from({ length: 100_000 }, (_, n) => n),
    });
    expect(indentedJson(long)).toHaveLength(100_005);
  });
});
