import { describe, expect, it } from "vitest";
import { MAX_HASHED_BYTES } from "../../../src/cli/detect/search/effort.ts";
import { detectScheme } from "../../../src/cli/detect.ts";
import { BODY, type CaptureOf, captured, hmac, SECONDS, SECRET } from "./captures.ts";

const MEBIBYTE = 1024 * 1024;

/** A delivery with a timestamp and an id, whose signature nothing explains: everything is tried. */
const INEXPLICABLE: CaptureOf = {
  headers: {
    "X-Acme-Id": "evt_5f9c1e1a8f1f4a539a3c0d7b",
    "X-Acme-Timestamp": SECONDS,
    "X-Acme-Signature": `sha256=${hmac("sha256", "of another secret", BODY).toString("hex")}`,
  },
};

// Counted, since a clock tells more about the machine: a MAC over a body of a KiB takes some microseconds.
describe("what detect computes", () => {
  it("is one MAC where the first guess is right, and another two to make sure", () => {
    const signed = captured({ headers: { "X-Bluum-Signature": hmac("sha256", SECRET, BODY).toString("hex") } });
    expect(detectScheme([signed], [SECRET])).toMatchObject({ verdict: "one", combinations: 1, macs: 3 });
  });

  it("stays below 10,000 MACs where all is tried in vain", () => {
    const { verdict, macs, combinations, untried } = detectScheme([captured(INEXPLICABLE)], [SECRET]);
    expect(verdict).toBe("none");
    expect(untried).toBe(0);
    expect(combinations).toBeGreaterThan(500);
    expect(macs).toBeLessThan(10_000);
  });

  it("grows with the captures by one MAC each for what holds, not by a search each", () => {
    const capture = (n: number) => {
      const body = BODY.replace("ord_1", `ord_${n}`);
      const headers = {
        "X-T": SECONDS,
        "X-Acme-Signature": hmac("sha256", SECRET, `v0:${SECONDS}:`, body).toString("hex"),
      };
      return captured({ headers, body });
    };
    const macs = (count: number) =>
      detectScheme(
        Array.from({ length: count }, (_, n) => capture(n)),
        [SECRET],
      ).macs;
    expect(macs(41) - macs(1)).toBeLessThanOrEqual(40 * 2);
  });

  it("is bounded for a body of 1 MiB, and says what was left out", () => {
    const body = `{"event":"order.filled","data":{"note":"${"a".repeat(MEBIBYTE)}"}}`;
    const { verdict, macs, untried } = detectScheme(
      [captured({ ...INEXPLICABLE, body })],
      [`whsec_${"QUJD".repeat(8)}`],
    );
    expect(verdict).toBe("none");
    expect(untried).toBeGreaterThan(0);
    // The search, and for each of the bodies that may have been altered the likeliest few.
    expect(macs).toBeLessThan(MAX_HASHED_BYTES / MEBIBYTE + 20 * 32);
  });

  it("is bounded for several large captures together, whatever the hash", () => {
    const captures = (algorithm: string) =>
      Array.from({ length: 8 }, (_, n) => {
        const body = `{"event":"order.filled","data":{"id":"${n}","note":"${"a".repeat(900_000)}"}}`;
        const signature = hmac(algorithm, "of another secret", body).toString("hex");
        return captured({ headers: { ...INEXPLICABLE.headers, "X-Acme-Signature": signature }, body });
      });
    const macs = (algorithm: string) => detectScheme(captures(algorithm), [SECRET, `whsec_${"QUJD".repeat(8)}`]).macs;
    const bodies = MAX_HASHED_BYTES / 900_000;
    expect(macs("sha256")).toBeLessThan(bodies + 20 * 32);
    // It takes three times as long.
    expect(macs("sha512")).toBeLessThan(bodies / 3 + 20 * 32);
  });

  it("finds the common schemes all the same for a body of 1 MiB", () => {
    const body = `{"event":"order.filled","data":{"note":"${"a".repeat(MEBIBYTE)}"}}`;
    const { headers } = INEXPLICABLE;
    for (const signed of [[body], [SECONDS, ".", body], [headers["X-Acme-Id"] as string, ".", SECONDS, ".", body]]) {
      const signature = hmac("sha256", SECRET, ...signed).toString("hex");
      expect(
        detectScheme([captured({ headers: { ...headers, "X-Acme-Signature": signature }, body })], [SECRET]).verdict,
      ).toBe("one");
    }
  });

  it("is bounded for hostile headers, and many secrets", () => {
    const digest = hmac("sha256", "of another secret", BODY).toString("hex");
    const noise = Array.from({ length: 300 }, (_, n): [string, string] => [
      `X-Noise-Signature-Id-${n}`,
      `t=${SECONDS},n=${n},t${n}=${Number(SECONDS) + n},v1=${digest.replace(/^.{4}/, String(1_000 + n))}`,
    ]);
    const secrets = Array.from(
      { length: 16 },
      (_, n) => `whsec_${Buffer.from(`secret number ${n} of many`).toString("base64")}`,
    );
    const { verdict, macs } = detectScheme([captured({ headers: Object.fromEntries(noise) })], secrets);
    expect(verdict).toBe("none");
    // Each counts as 4 KiB hashed at least; the bodies that may have been altered are tried in small.
    expect(macs).toBeLessThan((1.5 * MAX_HASHED_BYTES) / 4096);
  });
});
