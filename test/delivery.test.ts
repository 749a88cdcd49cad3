import { describe, expect, it } from "vitest";
import { type DeliveryHeaders, headerLookup, headerNames, isBytes } from "../src/delivery.ts";

describe("a header of a delivery", () => {
  const shapes: [string, DeliveryHeaders][] = [
    ["fetch Headers", new Headers({ "X-Bluum-Signature": "abc" })],
    ["a record in lower case, as Node keeps it", { "x-bluum-signature": "abc" }],
    ["a record in any case", { "X-BLUUM-Signature": "abc" }],
    ["a record of lists", { "X-Bluum-Signature": ["abc"] }],
  ];
  it.each(shapes)("is found in %s, ignoring case", (_, headers) => {
    expect(headerLookup(headers)("X-Bluum-Signature")).toBe("abc");
    expect(headerLookup(headers)("x-bluum-signature")).toBe("abc");
    expect(headerLookup(headers)("x-other")).toBeUndefined();
    expect(headerNames(headers)).toHaveLength(1);
  });

  it("that was sent several times has its values joined by commas", () => {
    const headers = new Headers([
      ["x-signature", "a"],
      ["x-signature", "b"],
    ]);
    expect(headerLookup(headers)("x-signature")).toBe("a, b");
    expect(headerLookup({ "x-signature": ["a", "b"] })("x-signature")).toBe("a, b");
  });

  it("that is undefined or null counts as missing", () => {
    const headers = { one: undefined, other: null } as unknown as DeliveryHeaders;
    expect(headerLookup(headers)("one")).toBeUndefined();
    expect(headerLookup(headers)("other")).toBeUndefined();
  });

  it("is never a property that every object inherits", () => {
    expect(headerLookup({})("constructor")).toBeUndefined();
    expect(headerLookup({})("__proto__")).toBeUndefined();
  });
});

describe("bytes", () => {
  it("are recognised by their tag", () => {
    expect([new Uint8Array(1), Buffer.from("x")].every(isBytes)).toBe(true);
    expect([undefined, null, "x", [1], new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), {}].some(isBytes)).toBe(
      false,
    );
  });
});
