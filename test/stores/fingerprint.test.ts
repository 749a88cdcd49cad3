import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fingerprints } from "../../src/stores/fingerprint.ts";

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ minLength: 200, maxLength: 600 }));

function numbers(fingerprints: Fingerprints, of: string): number[] {
  const { a, b, c, d } = fingerprints.of(of);
  return [a, b, c, d];
}

describe("a fingerprint", () => {
  it("is the same for the same text, whatever longer text came in between", () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const fingerprints = new Fingerprints();
        const before = numbers(fingerprints, one);
        numbers(fingerprints, `${one}${other}`.repeat(10));
        expect(numbers(fingerprints, one)).toEqual(before);
      }),
    );
  });

  it("differs for texts that differ", () => {
    const fingerprints = new Fingerprints();
    fc.assert(
      fc.property(text, text, (one, other) => {
        fc.pre(one !== other);
        expect(numbers(fingerprints, one)).not.toEqual(numbers(fingerprints, other));
      }),
    );
  });

  it("differs for a text and the same with an end of U+0000", () => {
    const fingerprints = new Fingerprints();
    expect(numbers(fingerprints, "")).not.toEqual(numbers(fingerprints, "\0"));
    expect(numbers(fingerprints, "key\0")).not.toEqual(numbers(fingerprints, "key"));
  });

  it("spreads keys that count up in each of its four numbers", () => {
    const fingerprints = new Fingerprints();
    const all = Array.from({ length: 10_000 }, (_, number) =>
      numbers(fingerprints, `default/order.created/evt_${number}`),
    );
    expect(new Set(all.map(String)).size).toBe(10_000);
    for (const place of [0, 1, 2, 3]) {
      // All but always 10,000; single numbers may agree by chance, and then those of many pairs do.
      expect(new Set(all.map((one) => one[place])).size).toBeGreaterThan(1_000);
    }
  });

  it("has a half that is half of it", () => {
    fc.assert(
      fc.property(text, (one) => {
        const fingerprints = new Fingerprints();
        const { a, b } = fingerprints.of(one);
        expect(fingerprints.halfOf(one)).toEqual({ a, b });
      }),
    );
  });

  it("is another one for everybody who takes it, so that nobody can aim at one", () => {
    const [one, other] = [new Fingerprints(), new Fingerprints()];
    expect(numbers(one, "default/order.created/evt_1")).not.toEqual(numbers(other, "default/order.created/evt_1"));
  });
});
