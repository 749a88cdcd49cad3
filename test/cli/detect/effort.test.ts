import { describe, expect, it } from "vitest";
import { MAX_HASHED_BYTES } from "../../../src/cli/detect/search/mac.ts";
import { detectScheme } from "../../../src/cli/detect.ts";
import { exhaustive, inFull } from "../../exhaustive.ts";
import { BODY, type CaptureOf, captured, hmac, SECONDS, SECRET } from "./captures.ts";

const MEBIBYTE = 1024 * 1024;

/** A delivery with a timestamp and an id, and a signature that nothing matches: everything is tried. */
const UNMATCHED: CaptureOf = {
  headers: {
    "X-Acme-Id": "evt_5f9c1e1a8f1f4a539a3c0d7b",
    "X-Acme-Timestamp": SECONDS,
    "X-Acme-Signature": `sha256=${hmac("sha256", "of another secret", BODY).toString("hex")}`,
  },
};

// MACs are counted, since time depends on the machine: one over a body of a KiB takes some microseconds.
describe("the effort of detect", () => {
  it("is one MAC if the first try matches, and two to verify it", () => {
    const signed = captured({ headers: { "X-Bluum-Signature": hmac("sha256", SECRET, BODY).toString("hex") } });
    expect(detectScheme([signed], [SECRET])).toMatchObject({ verdict: "one", combinations: 1, macs: 3 });
  });

  it("is less than 10,000 MACs if nothing matches", () => {
    const { verdict, macs, combinations, untried } = detectScheme([captured(UNMATCHED)], [SECRET]);
    expect(verdict).toBe("none");
    expect(untried).toBe(0);
    expect(combinations).toBeGreaterThan(500);
    expect(macs).toBeLessThan(10_000);
  });

  it("grows by MACs of the matching scheme for each capture, not by a search", () => {
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

  it("is limited for a body of 1 MiB, and reports the contents left out", () => {
    const body = `{"event":"order.filled","data":{"note":"${"a".repeat(MEBIBYTE)}"}}`;
    const { verdict, macs, untried } = detectScheme([captured({ ...UNMATCHED, body })], [`whsec_${"QUJD".repeat(8)}`]);
    expect(verdict).toBe("none");
    expect(untried).toBeGreaterThan(0);
    // The MACs of the search, and a few for each body that may have been the original.
    expect(macs).toBeLessThan(MAX_HASHED_BYTES / MEBIBYTE + 20 * 32);
  });

  it.runIf(exhaustive)("is limited for several large captures together, with any hash", inFull, () => {
    const captures = (algorithm: string) =>
      Array.from({ length: 8 }, (_, n) => {
        const body = `{"event":"order.filled","data":{"id":"${n}","note":"${"a".repeat(900_000)}"}}`;
        const signature = hmac(algorithm, "of another secret", body).toString("hex");
        return captured({ headers: { ...UNMATCHED.headers, "X-Acme-Signature": signature }, body });
      });
    const macs = (algorithm: string) => detectScheme(captures(algorithm), [SECRET, `whsec_${"QUJD".repeat(8)}`]).macs;
    const bodies = MAX_HASHED_BYTES / 900_000;
    expect(macs("sha256")).toBeLessThan(bodies + 20 * 32);
    // SHA-512 costs three times as much.
    expect(macs("sha512")).toBeLessThan(bodies / 3 + 20 * 32);
  });

  it("suffices for the common schemes with a body of 1 MiB", () => {
    const body = `{"event":"order.filled","data":{"note":"${"a".repeat(MEBIBYTE)}"}}`;
    const { headers } = UNMATCHED;
    for (const signed of [[body], [SECONDS, ".", body], [headers["X-Acme-Id"] as string, ".", SECONDS, ".", body]]) {
      const signature = hmac("sha256", SECRET, ...signed).toString("hex");
      expect(
        detectScheme([captured({ headers: { ...headers, "X-Acme-Signature": signature }, body })], [SECRET]).verdict,
      ).toBe("one");
    }
  });

  it.runIf(exhaustive)("is limited for hostile headers and many secrets", inFull, () => {
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
    // Each MAC counts as at least 4 KiB; bodies that may have been the original have a limit of their own.
    expect(macs).toBeLessThan((1.5 * MAX_HASHED_BYTES) / 4096);
  });
});
