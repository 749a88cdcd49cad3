import fc from "fast-check";
import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { type TimestampedSignatureOptions, timestampedSignature } from "../../src/schemes/timestamped.ts";
import { bytes, check, NOW, type SchemeUnderTest, schemeContract } from "./contract.ts";

const SECRET = "whsec_a-shared-secret-of-some-length";
const TEXT = '{"event":"order.filled","data":{"id":"ord_1","average_price":"178.50"}}';
const BODY = bytes(TEXT);
// printf '1750000000.%s' "$BODY" | openssl dgst -sha256 -hmac <secret>
const SIGNATURE = "065d1129db3207d066d3e32c5b2fba9c782da4a4b89319c4fa55c6a5e4aee2df";
const HEADER = `t=1750000000,v1=${SIGNATURE}`;
const FIVE_MINUTES = 5 * 60_000;

const scheme = timestampedSignature({ header: "Stripe-Signature" });
const stripe = new Stripe("sk_test_unused");

const subject: SchemeUnderTest = {
  scheme,
  header: "Stripe-Signature",
  secrets: fc.string({ unit: "grapheme", minLength: 16, maxLength: 80 }),
  signatureIn: (headers) => Uint8Array.from(Buffer.from(headers["Stripe-Signature"]?.split("v1=")[1] ?? "", "hex")),
  valueWith: (_, signatures) =>
    ["t=1750000000", ...signatures.map((one) => `v1=${Buffer.from(one).toString("hex")}`)].join(","),
  valueWithText: (_, text) => `t=1750000000,v1=${text}`,
};

schemeContract("timestamped", subject);

function checked(value: string | string[], nowMs: number = NOW): unknown {
  return check(scheme, [SECRET], { "Stripe-Signature": value }, BODY, nowMs);
}

function signedAt(seconds: number): string {
  return scheme.sign({ secret: SECRET, body: BODY, nowMs: seconds * 1_000 })["Stripe-Signature"] ?? "";
}

describe("timestampedSignature", () => {
  it("signs and verifies as openssl does, with the whole secret as key", () => {
    expect(scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW })).toEqual({ "Stripe-Signature": HEADER });
    expect(checked(HEADER)).toEqual({ secretIndex: 0 });
  });

  it("signs the current second", () => {
    expect(scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW + 999 })).toEqual({ "Stripe-Signature": HEADER });
  });

  it("ignores unknown elements", () => {
    expect(checked(`v0=${"0".repeat(64)},x,t2=9,t=1750000000,v1=${SIGNATURE},v2=,=`)).toEqual({ secretIndex: 0 });
    expect(checked(`t=1750000000,v0=${SIGNATURE}`)).toBe("signature_malformed");
    expect(checked(`t=1750000000,V1=${SIGNATURE}`)).toBe("signature_malformed");
  });

  it("accepts spaces around elements, and hex in upper case", () => {
    expect(checked(` t=1750000000 , v1=${SIGNATURE.toUpperCase()} `)).toEqual({ secretIndex: 0 });
  });

  it.each([
    `v1=${SIGNATURE}`,
    `t=,v1=${SIGNATURE}`,
    `t=-1750000000,v1=${SIGNATURE}`,
    `t=+1750000000,v1=${SIGNATURE}`,
    `t=1750000000.0,v1=${SIGNATURE}`,
    `t=1.75e9,v1=${SIGNATURE}`,
    `t=0x684ee180,v1=${SIGNATURE}`,
    `t=١٧٥٠٠٠٠٠٠٠,v1=${SIGNATURE}`,
    `t= 1750000000,v1=${SIGNATURE}`,
    `t=1750000000s,v1=${SIGNATURE}`,
    `t=1234567890123456,v1=${SIGNATURE}`,
    "t=1750000000",
    "t=1750000000,v1=",
    "t=1750000000,v1",
  ])("calls %s malformed", (value) => {
    expect(checked(value)).toBe("signature_malformed");
  });

  it("covers the timestamp, digit for digit", () => {
    expect(checked(`t=1750000001,v1=${SIGNATURE}`)).toBe("signature_mismatch");
    expect(checked(`t=01750000000,v1=${SIGNATURE}`)).toBe("signature_mismatch");
  });
});

describe("the tolerance of timestampedSignature", () => {
  it("is five minutes to the millisecond, in both directions", () => {
    expect(checked(HEADER, NOW + FIVE_MINUTES)).toEqual({ secretIndex: 0 });
    expect(checked(HEADER, NOW + FIVE_MINUTES + 1)).toBe("timestamp_out_of_tolerance");
    expect(checked(HEADER, NOW - FIVE_MINUTES)).toEqual({ secretIndex: 0 });
    expect(checked(HEADER, NOW - FIVE_MINUTES - 1)).toBe("timestamp_out_of_tolerance");
  });

  it("refuses a genuine signature of ten years ago and one of ten years ahead", () => {
    const tenYears = 10 * 365.25 * 24 * 60 * 60;
    expect(checked(signedAt(NOW / 1_000 - tenYears))).toBe("timestamp_out_of_tolerance");
    expect(checked(signedAt(NOW / 1_000 + tenYears))).toBe("timestamp_out_of_tolerance");
    expect(checked("t=999999999999999,v1=".concat(SIGNATURE))).toBe("timestamp_out_of_tolerance");
  });

  it("is checked before any signature is", () => {
    expect(checked(`t=1,v1=${"0".repeat(64)}`)).toBe("timestamp_out_of_tolerance");
    const presented = scheme.read(() => `t=1,v1=${SIGNATURE}`);
    const noKey = { unusable: "as a key" };
    expect(typeof presented === "object" && scheme.verify(presented, BODY, [noKey], NOW)).toBe(
      "timestamp_out_of_tolerance",
    );
  });

  it("can be set", () => {
    const strict = timestampedSignature({ header: "X-Sig", toleranceMs: 1_000 });
    expect(check(strict, [SECRET], { "x-sig": HEADER }, BODY, NOW + 1_000)).toEqual({ secretIndex: 0 });
    expect(check(strict, [SECRET], { "x-sig": HEADER }, BODY, NOW + 1_001)).toBe("timestamp_out_of_tolerance");
  });

  it("refuses everything if the clock is broken", () => {
    expect(checked(HEADER, Number.NaN)).toBe("timestamp_out_of_tolerance");
  });
});

describe("a timestamped header sent twice", () => {
  const now = NOW / 1_000;
  const forged = `t=${now},v1=${"0".repeat(64)}`;

  it("accepts either, each signature under the timestamp before it", () => {
    expect(checked([signedAt(now - 60), signedAt(now)])).toEqual({ secretIndex: 0 });
    expect(checked([forged, signedAt(now - 60)])).toEqual({ secretIndex: 0 });
    expect(checked([signedAt(now - 60), forged])).toEqual({ secretIndex: 0 });
  });

  it("assigns a signature before the first timestamp to that timestamp", () => {
    expect(checked(`v1=${SIGNATURE},t=${now},t=${now + 1}`)).toEqual({ secretIndex: 0 });
    expect(checked(`v1=${SIGNATURE},t=${now + 1},t=${now}`)).toBe("signature_mismatch");
  });

  it("never verifies a stale signature with a fresh timestamp", () => {
    const stale = signedAt(now - 3_600);
    expect(checked([stale, `t=${now}`])).toBe("timestamp_out_of_tolerance");
    expect(checked([`t=${now}`, stale])).toBe("timestamp_out_of_tolerance");
    expect(checked([forged, stale])).toBe("signature_mismatch");
    expect(checked([stale, forged])).toBe("signature_mismatch");
  });

  it("drops only the signatures under a malformed timestamp", () => {
    expect(checked([`t=soon,v1=${SIGNATURE}`, HEADER])).toEqual({ secretIndex: 0 });
    expect(checked([HEADER, `t=soon,v1=${SIGNATURE}`])).toEqual({ secretIndex: 0 });
  });
});

describe("signatures under many timestamps", () => {
  const now = NOW / 1_000;
  const forged = (count: number) => Array.from({ length: count }, (_, n) => `t=${now + n},v1=${"0".repeat(64)}`);

  it("are all tried up to four timestamps", () => {
    expect(checked([...forged(3), signedAt(now - 60)])).toEqual({ secretIndex: 0 });
    expect(checked(forged(4))).toBe("signature_mismatch");
  });

  it("are malformed if there are more", () => {
    expect(checked([...forged(4), signedAt(now - 60)])).toBe("signature_malformed");
    expect(checked([signedAt(now - 60), ...forged(15)])).toBe("signature_malformed");
  });

  it("count only with a well-formed signature", () => {
    const bare = Array.from({ length: 9 }, (_, n) => `t=${n}`);
    expect(checked([...bare, ...forged(3), signedAt(now - 60), "t=soon,v1=junk"])).toEqual({ secretIndex: 0 });
  });

  it("may all have the same timestamp", () => {
    expect(checked([...Array(15).fill(`t=${now},v1=${"0".repeat(64)}`), signedAt(now)])).toEqual({ secretIndex: 0 });
  });
});

describe("timestampedSignature and what it is given", () => {
  it.each<[string, unknown]>([
    ["options", undefined],
    ["header", {}],
    ["header", { header: "Stripe Signature" }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: 0 }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: 999 }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: 24 * 60 * 60_000 + 1 }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: 1_000.5 }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: "300000" }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: Number.NaN }],
    ["tolerance", { header: "X-Sig", tolerance: 300 }],
  ])("names %s when it refuses %j", (option, options) => {
    expect(() => timestampedSignature(options as TimestampedSignatureOptions)).toThrow(
      expect.objectContaining({
        code: "configuration_invalid",
        message: expect.stringMatching(new RegExp(`^timestampedSignature: ${option} `)),
      }),
    );
  });

  it("accepts a tolerance of one day", () => {
    expect(timestampedSignature({ header: "X-Sig", toleranceMs: 24 * 60 * 60_000 }).signsTimestamp).toBe(true);
  });

  it.each([
    "",
    "too short",
    `whpk_${Buffer.alloc(32, 7).toString("base64")}`,
    `whsk_${Buffer.alloc(64, 7).toString("base64")}`,
  ])("refuses the secret %j", (secret) => {
    expect(() => scheme.prepare(secret)).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });
});

describe("timestampedSignature and stripe", () => {
  it("verifies what stripe signs", () => {
    const value = stripe.webhooks.generateTestHeaderString({ payload: TEXT, secret: SECRET, timestamp: NOW / 1_000 });
    expect(checked(value)).toEqual({ secretIndex: 0 });
  });

  it("signs what stripe verifies", () => {
    const value = scheme.sign({ secret: SECRET, body: BODY, nowMs: Date.now() })["Stripe-Signature"] ?? "";
    expect(stripe.webhooks.constructEvent(TEXT, value, SECRET)).toMatchObject({ event: "order.filled" });
  });

  it("verifies a rotation as stripe sends it: one timestamp, two signatures", () => {
    const sign = (secret: string): string =>
      stripe.webhooks.generateTestHeaderString({ payload: TEXT, secret, timestamp: NOW / 1_000 });
    const old = sign("whsec_the-secret-of-yesterday").split(",")[1];
    expect(checked(`${sign(SECRET)},${old}`)).toEqual({ secretIndex: 0 });
    expect(checked(`t=${NOW / 1_000},${old},v1=${SIGNATURE}`)).toEqual({ secretIndex: 0 });
  });
});
