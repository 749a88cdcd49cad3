import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteEncoding, decodeBytes, decodeExactly, encodeBytes, isEncoded } from "../../src/schemes/encoding.ts";

describe("strict decoding", () => {
  it.each<ByteEncoding>(["hex", "base64", "base64url"])("gives back what was written as %s", (encoding) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = encodeBytes(bytes, encoding);
        expect(decodeBytes(text, encoding)).toEqual(Buffer.from(bytes));
        expect(decodeExactly(bytes.byteLength, text, encoding)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("accepts hex in either case, and base64 with or without padding", () => {
    expect(decodeBytes("FFfe", "hex")).toEqual(Buffer.of(0xff, 0xfe));
    expect(decodeBytes("/w==", "base64")).toEqual(Buffer.of(0xff));
    expect(decodeBytes("/w", "base64")).toEqual(Buffer.of(0xff));
    expect(decodeBytes("_w==", "base64url")).toEqual(Buffer.of(0xff));
    expect(decodeBytes("_w", "base64url")).toEqual(Buffer.of(0xff));
  });

  it.each<[string, ByteEncoding]>([
    ["", "hex"],
    ["f", "hex"],
    ["fg", "hex"],
    ["0xff", "hex"],
    ["ff ", "hex"],
    ["ff\n", "hex"],
    ["", "base64"],
    ["=", "base64"],
    ["====", "base64"],
    ["/", "base64"],
    ["/w=", "base64"],
    ["/w===", "base64"],
    ["/w==\n", "base64"],
    ["_w==", "base64"],
    ["/ w=", "base64"],
    ["/w==/w==", "base64"],
    ["/w", "base64url"],
  ])("does not decode %j as %s", (text, encoding) => {
    expect(decodeBytes(text, encoding)).toBeUndefined();
  });

  it.each<ByteEncoding>(["hex", "base64", "base64url"])("tells the length of %s", (encoding) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = encodeBytes(bytes, encoding);
        expect(isEncoded(bytes.byteLength, text, encoding)).toBe(true);
        expect(isEncoded(bytes.byteLength + 1, text, encoding)).toBe(false);
      }),
    );
  });

  it.each<ByteEncoding>(["hex", "base64", "base64url"])("takes for %s exactly what it decodes", (encoding) => {
    const character = fc.constantFrom(..."0189afAFgzGZ+/-_= \n\u0130\u0661");
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), fc.nat({ max: 8 }), (characters, length) => {
        const text = characters.join("");
        expect(isEncoded(length, text, encoding)).toBe(decodeBytes(text, encoding)?.byteLength === length);
      }),
    );
  });

  it("detects a wrong number of bytes", () => {
    expect(decodeExactly(2, "ffff", "hex")).toBeDefined();
    expect(decodeExactly(2, "ffffff", "hex")).toBeUndefined();
    expect(decodeExactly(2, "ff", "hex")).toBeUndefined();
    expect(decodeExactly(2, "////", "base64")).toBeUndefined();
  });
});
