import { describe, expect, it } from "vitest";
import { ed25519IsAmong, ed25519PrivateKey, ed25519PublicKey, ed25519Sign } from "../../src/schemes/ed25519.ts";
import { bytes } from "./contract.ts";

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

// RFC 8032, section 7.1, TEST 3.
const SEED = fromHex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
const PUBLIC = fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
const MESSAGE = fromHex("af82");
const SIGNATURE = fromHex(
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
);

describe("ed25519", () => {
  it("agrees with RFC 8032, test 3, when it signs", () => {
    expect(Uint8Array.from(ed25519Sign(ed25519PrivateKey(SEED), "", MESSAGE))).toEqual(SIGNATURE);
  });

  it("agrees with RFC 8032, test 3, when it verifies", () => {
    expect(ed25519IsAmong([SIGNATURE], ed25519PublicKey(PUBLIC), "", MESSAGE)).toBe(true);
    expect(ed25519IsAmong([SIGNATURE], ed25519PublicKey(PUBLIC), "", fromHex("af83"))).toBe(false);
  });

  it("signs prefix and body as one message", () => {
    const signature = ed25519Sign(ed25519PrivateKey(SEED), "id.1.", bytes("{}"));
    expect(ed25519IsAmong([signature], ed25519PublicKey(PUBLIC), "", bytes("id.1.{}"))).toBe(true);
  });

  it("finds a genuine signature after others, and none in an empty list", () => {
    const key = ed25519PublicKey(PUBLIC);
    expect(ed25519IsAmong([new Uint8Array(64), SIGNATURE], key, "", MESSAGE)).toBe(true);
    expect(ed25519IsAmong([], key, "", MESSAGE)).toBe(false);
  });

  it("returns false for a signature or public key that is not on the curve", () => {
    expect(ed25519IsAmong([new Uint8Array(64).fill(0xff)], ed25519PublicKey(PUBLIC), "", MESSAGE)).toBe(false);
    expect(ed25519IsAmong([SIGNATURE], ed25519PublicKey(new Uint8Array(32).fill(0xff)), "", MESSAGE)).toBe(false);
    expect(ed25519IsAmong([SIGNATURE.subarray(1)], ed25519PublicKey(PUBLIC), "", MESSAGE)).toBe(false);
  });
});
