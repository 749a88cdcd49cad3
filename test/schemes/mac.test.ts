import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteEncoding, encodeBytes } from "../../src/schemes/encoding.ts";
import { DIGEST_BYTES, type HmacAlgorithm, type MacKey, mac, macIsAmong, macKey } from "../../src/schemes/mac.ts";
import { inFull, runs } from "../exhaustive.ts";
import { bytes } from "./contract.ts";

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const toHex = (raw: Uint8Array): string => Buffer.from(raw).toString("hex");

interface Rfc4231Case {
  readonly test: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
  readonly sha256: string;
  readonly sha512: string;
}

// RFC 4231, sections 4.2 to 4.8. Case 5 is published cut to 128 bits.
const RFC_4231: readonly Rfc4231Case[] = [
  {
    test: 1,
    key: fromHex("0b".repeat(20)),
    data: bytes("Hi There"),
    sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    sha512:
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  },
  {
    test: 2,
    key: bytes("Jefe"),
    data: bytes("what do ya want for nothing?"),
    sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    sha512:
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  },
  {
    test: 3,
    key: fromHex("aa".repeat(20)),
    data: fromHex("dd".repeat(50)),
    sha256: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    sha512:
      "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
  },
  {
    test: 4,
    key: fromHex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
    data: fromHex("cd".repeat(50)),
    sha256: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    sha512:
      "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
  },
  {
    test: 5,
    key: fromHex("0c".repeat(20)),
    data: bytes("Test With Truncation"),
    sha256: "a3b6167473100ee06e0c796c2955552b",
    sha512: "415fad6271580a531d4179bc891d87a6",
  },
  {
    test: 6,
    key: fromHex("aa".repeat(131)),
    data: bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
    sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    sha512:
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
  },
  {
    test: 7,
    key: fromHex("aa".repeat(131)),
    data: bytes(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    sha256: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    sha512:
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
  },
];

describe("the HMAC", () => {
  it.each(RFC_4231)("agrees with RFC 4231, test case $test", ({ key, data, sha256, sha512 }) => {
    expect(toHex(mac(macKey("sha256", key), "", data)).slice(0, sha256.length)).toBe(sha256);
    expect(toHex(mac(macKey("sha512", key), "", data)).slice(0, sha512.length)).toBe(sha512);
  });

  it("agrees with RFC 2202 for SHA-1, test case 2", () => {
    const digest = mac(macKey("sha1", bytes("Jefe")), "", bytes("what do ya want for nothing?"));
    expect(toHex(digest)).toBe("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  });

  it("has digests of the stated lengths", () => {
    for (const algorithm of Object.keys(DIGEST_BYTES) as HmacAlgorithm[]) {
      expect(mac(macKey(algorithm, bytes("k")), "", bytes("x")).byteLength).toBe(DIGEST_BYTES[algorithm]);
    }
  });

  it("covers prefix and body as one message", () => {
    const key = macKey("sha256", bytes("a key"));
    expect(mac(key, "1750000000.", bytes("{}"))).toEqual(mac(key, "", bytes("1750000000.{}")));
  });

  it("is not changed when the next one is computed", () => {
    const key = macKey("sha256", bytes("a key"));
    const one = mac(key, "", bytes("{}"));
    const before = toHex(one);
    mac(key, "", bytes("[]"));
    expect(toHex(one)).toBe(before);
  });

  describe.each<ByteEncoding>(["hex", "base64", "base64url"])("written in %s", (encoding) => {
    const key = macKey("sha256", bytes("a key"));
    const written = (body: string) => encodeBytes(mac(key, "", bytes(body)), encoding);

    it("is found at any place in a list, and not in an empty one", () => {
      const [genuine, other] = [written("{}"), written("[]")];
      expect(macIsAmong([genuine, other], encoding, key, "", bytes("{}"))).toBe(true);
      expect(macIsAmong([other, genuine], encoding, key, "", bytes("{}"))).toBe(true);
      expect(macIsAmong([other], encoding, key, "", bytes("{}"))).toBe(false);
      expect(macIsAmong([], encoding, key, "", bytes("{}"))).toBe(false);
    });

    it("is not found in a list of digests that differ in one bit", () => {
      const genuine = mac(key, "", bytes("{}"));
      for (let bit = 0; bit < 256; bit += 1) {
        const other = Uint8Array.from(genuine, (byte, place) => (place === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(macIsAmong([encodeBytes(other, encoding)], encoding, key, "", bytes("{}"))).toBe(false);
      }
    });
  });

  it("is found in hex of either case", () => {
    const key = macKey("sha256", bytes("a key"));
    const upper = toHex(mac(key, "", bytes("{}"))).toUpperCase();
    expect(macIsAmong([upper], "hex", key, "", bytes("{}"))).toBe(true);
  });
});

describe("the HMAC of any message", () => {
  const algorithms: HmacAlgorithm[] = ["sha1", "sha256", "sha512"];
  const reference = (algorithm: HmacAlgorithm, key: Uint8Array, message: Uint8Array) =>
    createHmac(algorithm, key).update(message).digest("hex");
  /** Lengths around the blocks of the hashes. */
  const length = fc.oneof(
    fc.integer({ min: 0, max: 200 }),
    fc.constantFrom(54, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129),
  );
  const content = length.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));

  it("equals that of the standard library, for all lengths of key, prefix and body", inFull, () => {
    fc.assert(
      fc.property(fc.constantFrom(...algorithms), content, fc.string(), content, (algorithm, key, prefix, body) => {
        const message = Buffer.concat([Buffer.from(prefix), body]);
        expect(toHex(mac(macKey(algorithm, key), prefix, body))).toBe(reference(algorithm, key, message));
      }),
      { numRuns: runs(100, 5_000) },
    );
  });

  it("does not depend on earlier uses of the key", () => {
    const keys = Object.fromEntries(algorithms.map((name) => [name, macKey(name, bytes("one key for all of these"))]));
    const seen = algorithms.flatMap((algorithm) => ["a", "b", "a"].map((body) => [algorithm, body] as const));
    for (const [algorithm, body] of [...seen, ...seen.toReversed()]) {
      expect(toHex(mac(keys[algorithm] as MacKey, "", bytes(body)))).toBe(
        reference(algorithm, bytes("one key for all of these"), bytes(body)),
      );
    }
  });
});
