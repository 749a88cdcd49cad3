import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeliveryHeaders, headerLookup } from "../../src/delivery.ts";
import type { SignatureScheme, Verified } from "../../src/schemes/scheme.ts";
import { inFull, runs } from "../exhaustive.ts";
import { character } from "../unicode.ts";

/** 2025-06-15T15:06:40Z, a whole second. */
export const NOW = 1_750_000_000_000;

/** Uses a scheme as a receiver does: reads the headers, then verifies the body with every secret. */
export function check(
  scheme: SignatureScheme,
  secrets: readonly string[],
  headers: DeliveryHeaders,
  body: Uint8Array,
  nowMs: number = NOW,
): Verified | string {
  const presented = scheme.read(headerLookup(headers));
  if (typeof presented === "string") return presented;
  const keys = secrets.map((secret) => scheme.prepare(secret));
  return scheme.verify(presented, body, keys, nowMs);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A scheme, and how the contract tampers with its signatures. */
export interface SchemeUnderTest {
  readonly scheme: SignatureScheme;
  /** The header that carries the signatures. */
  readonly header: string;
  /** Makes secrets that the scheme accepts; different secrets are different keys. */
  readonly secrets: fc.Arbitrary<string>;
  /** How many signatures it tries. @default 16 */
  readonly tried?: number;
  /** The raw bytes of the one signature in these headers. */
  signatureIn(headers: Readonly<Record<string, string>>): Uint8Array;
  /** The value of the signature header with these signatures and its other content. */
  valueWith(headers: Readonly<Record<string, string>>, signatures: readonly Uint8Array[]): string;
  /** What read makes of a signature header that holds this text where the one signature would be. */
  valueWithText(headers: Readonly<Record<string, string>>, text: string): string;
}

/** The behaviour that every scheme must have. */
export function schemeContract(name: string, subject: SchemeUnderTest): void {
  const { scheme, header, secrets, tried = 16 } = subject;
  const [secret, second, third] = sample(secrets);
  const body = bytes('{"event":"order.filled","data":{"note":"$$ bonus $& $1"}}');

  const sign = (secretOfOne: string, signed: Uint8Array): Record<string, string> =>
    scheme.sign({ secret: secretOfOne, body: signed, nowMs: NOW });
  const genuine = sign(secret, body);
  const signature = subject.signatureIn(genuine);
  const wrong = (count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, place) => signature.map((byte) => byte ^ (place + 1)));
  const checked = (value: string | string[] | undefined, signed: Uint8Array = body): Verified | string =>
    check(scheme, [secret], { ...genuine, [header]: value }, signed);

  describe(`${name} keeps the contract of a scheme`, () => {
    it("accepts its own signature of a body with dollar signs", () => {
      expect(check(scheme, [secret], genuine, body)).toMatchObject({ secretIndex: 0 });
    });

    it("accepts its own signature for any body and secret", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 512 }), secrets, (anyBody, anySecret) => {
          expect(check(scheme, [anySecret], sign(anySecret, anyBody), anyBody)).toMatchObject({ secretIndex: 0 });
        }),
      );
    });

    it("refuses a body with any bit flipped", () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 512 }), fc.nat(), (anyBody, bit) => {
          expect(check(scheme, [secret], sign(secret, anyBody), flipped(anyBody, bit))).toBe("signature_mismatch");
        }),
      );
    });

    it("refuses a signature with any bit flipped", () => {
      for (let bit = 0; bit < signature.byteLength * 8; bit++) {
        const value = subject.valueWith(genuine, [flipped(signature, bit)]);
        expect(checked(value)).toBe("signature_mismatch");
      }
    });

    it("refuses another secret's signature", () => {
      expect(check(scheme, [second], genuine, body)).toBe("signature_mismatch");
    });

    it("refuses everything without a key", () => {
      expect(check(scheme, [], genuine, body)).toBe("signature_mismatch");
    });

    it("says which of several secrets matched", () => {
      expect(check(scheme, [second, secret, third], genuine, body)).toMatchObject({ secretIndex: 1 });
      expect(check(scheme, [second, third, secret], genuine, body)).toMatchObject({ secretIndex: 2 });
    });

    it(`accepts the genuine signature at every place among ${tried - 1} wrong ones`, () => {
      for (let place = 0; place < tried; place++) {
        const value = subject.valueWith(genuine, wrong(tried - 1).toSpliced(place, 0, signature));
        expect(checked(value)).toMatchObject({ secretIndex: 0 });
      }
    });

    it("calls 17 signatures malformed, even with the genuine one", () => {
      expect(checked(subject.valueWith(genuine, [...wrong(16), signature]))).toBe("signature_malformed");
      expect(checked(subject.valueWith(genuine, [signature, ...wrong(16)]))).toBe("signature_malformed");
    });

    it("counts malformed signatures among the 16", () => {
      const junk = Array.from({ length: 16 }, () => Uint8Array.of(1, 2, 3));
      expect(checked(subject.valueWith(genuine, [...junk, signature]))).toBe("signature_malformed");
      expect(checked(subject.valueWith(genuine, [...junk.slice(1), signature]))).toMatchObject({ secretIndex: 0 });
    });

    it("accepts the genuine signature in either copy of a header sent twice", () => {
      const other = subject.valueWith(genuine, wrong(1));
      const own = genuine[header] ?? "";
      expect(checked([own, other])).toMatchObject({ secretIndex: 0 });
      expect(checked([other, own])).toMatchObject({ secretIndex: 0 });
      expect(checked(`${other},${own}`)).toMatchObject({ secretIndex: 0 });
    });

    it("reports a missing header", () => {
      expect(checked(undefined)).toBe("signature_missing");
      expect(check(scheme, [secret], {}, body)).toBe("signature_missing");
    });

    it.each(["", " ", ",", ", ,", "=", "null", "undefined", "[object Object]"])("calls %j malformed", (value) => {
      expect(checked(value)).toBe("signature_malformed");
    });

    it("calls a signature of any wrong length malformed", () => {
      const cut = signature.subarray(0, signature.byteLength - 1);
      const long = Uint8Array.of(...signature, 0);
      for (const one of [cut, long, signature.subarray(0, 1), Uint8Array.of(...signature, ...signature)]) {
        expect(checked(subject.valueWith(genuine, [one]))).toBe("signature_malformed");
      }
    });

    it("calls text that is not a signature malformed", () => {
      const written = subject.valueWithText(genuine, "").length;
      const length = (genuine[header] ?? "").length - written;
      for (const character of ["!", "é", "\0", "~", ".", "\u{1f600}"]) {
        expect(checked(subject.valueWithText(genuine, character.repeat(length)))).toBe("signature_malformed");
      }
    });

    it("reads a header of 8 KiB, and calls a longer one malformed", () => {
      const own = genuine[header] ?? "";
      const padded = `${own}${",".repeat(8 * 1024 - own.length)}`;
      expect(checked(padded)).toMatchObject({ secretIndex: 0 });
      expect(checked(`${padded},`)).toBe("signature_malformed");
    });

    it("never confuses an invalid byte with its replacement character", () => {
      const invalid = Uint8Array.of(0x22, 0xff, 0x22);
      const replaced = Uint8Array.of(0x22, 0xef, 0xbf, 0xbd, 0x22);
      expect(check(scheme, [secret], sign(secret, invalid), invalid)).toMatchObject({ secretIndex: 0 });
      expect(check(scheme, [secret], sign(secret, invalid), replaced)).toBe("signature_mismatch");
      expect(check(scheme, [secret], sign(secret, replaced), invalid)).toBe("signature_mismatch");
    });

    it("accepts an empty body and a large one", () => {
      for (const size of [0, 1024 * 1024]) {
        const sized = new Uint8Array(size).fill(0x7a);
        expect(check(scheme, [secret], sign(secret, sized), sized)).toMatchObject({ secretIndex: 0 });
      }
    });

    it("accepts a body that is a view of a larger buffer", () => {
      const view = bytes("junk{}junk").subarray(4, 6);
      expect(check(scheme, [secret], sign(secret, bytes("{}")), view)).toMatchObject({ secretIndex: 0 });
    });

    it("never throws for, and never accepts, arbitrary headers", inFull, () => {
      const text = fc.oneof(fc.string({ unit: character }), fc.stringMatching(/^[tv01a=, .+/A-Za-z-]{0,200}$/));
      fc.assert(
        fc.property(text, (value) => {
          expect(checked(value)).toMatch(/^signature_|^timestamp_/);
          expect(checked([value, value])).toMatch(/^signature_|^timestamp_/);
        }),
        { numRuns: runs(100, 2_000) },
      );
    });

    it("reads hostile headers in no time", () => {
      const own = genuine[header] ?? "";
      const pieces = [",", " ", "=", "t=", "v1=", "v1,", "A", "0", "t=1,", `${own},`, ", \t", "v1=,v1a,", "\u{1f600}"];
      const hostile = pieces.flatMap((piece) => [
        repeated(piece, 8 * 1024),
        `${repeated(piece, 8 * 1024 - 1)}!`,
        repeated(piece, 100_000),
      ]);
      const started = performance.now();
      for (const value of hostile) {
        for (let again = 0; again < 20; again++) checked(value, new Uint8Array(0));
      }
      // 780 reads of up to 8 KiB: some 100 ms where each is linear, half a minute where one is quadratic.
      expect(performance.now() - started).toBeLessThan(5_000);
    });

    it("describes the expected header, without a secret", () => {
      expect(scheme.description.toLowerCase()).toContain(header.toLowerCase());
      expect(JSON.stringify(scheme)).not.toContain(secret);
    });
  });
}

function sample(secrets: fc.Arbitrary<string>): [string, string, string] {
  const distinct = fc.sample(fc.uniqueArray(secrets, { minLength: 3, maxLength: 3 }), { numRuns: 1, seed: 2 })[0];
  return distinct as [string, string, string];
}

function flipped(original: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(original);
  const place = bit % (copy.byteLength * 8);
  const index = Math.floor(place / 8);
  copy[index] = (copy[index] ?? 0) ^ (1 << (place % 8));
  return copy;
}

function repeated(piece: string, length: number): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}
