import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebhookError } from "../../src/errors.ts";
import { type HmacSignatureOptions, hmacSignature } from "../../src/schemes/hmac.ts";
import { bytes, check, NOW, type SchemeUnderTest, schemeContract } from "./contract.ts";

const SECRET = "a-shared-secret-of-some-length";
const BODY = bytes('{"event":"order.filled","data":{"id":"ord_1","average_price":"178.50"}}');

function subject(options: HmacSignatureOptions): SchemeUnderTest {
  const { header, prefix = "", encoding = "hex" } = options;
  const write = (signature: Uint8Array): string => prefix + Buffer.from(signature).toString(encoding);
  return {
    scheme: hmacSignature(options),
    header,
    secrets: fc.string({ unit: "grapheme", minLength: 16, maxLength: 80 }),
    signatureIn: (headers) => Uint8Array.from(Buffer.from((headers[header] ?? "").slice(prefix.length), encoding)),
    valueWith: (_, signatures) => signatures.map(write).join(", "),
    valueWithText: (_, text) => prefix + text,
  };
}

schemeContract("hmac, hex", subject({ header: "X-Signature" }));
schemeContract("hmac, prefixed", subject({ header: "X-Hub-Signature-256", prefix: "sha256=" }));
schemeContract("hmac, base64 of SHA-512", subject({ header: "X-Signature", algorithm: "sha512", encoding: "base64" }));
schemeContract("hmac, base64url of SHA-1", subject({ header: "X-Sig", algorithm: "sha1", encoding: "base64url" }));

describe("hmacSignature", () => {
  // openssl dgst -<algorithm> -hmac <secret>
  it.each<[HmacSignatureOptions, string]>([
    [{ header: "X-Sig" }, "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50"],
    [{ header: "X-Sig", algorithm: "sha1", prefix: "sha1=" }, "sha1=9d0d50ce686a600262057825f6052c63aadc8149"],
    [
      { header: "X-Sig", algorithm: "sha512" },
      "89933a3ae2817dbb0aef0ee7692f6eb77c99a74e0fd452769fc349d8af84aac1339ffa5c61a42bdc08ba244ae08ac637547415373cc777a8c46839af90cc0d38",
    ],
    [{ header: "X-Sig", encoding: "base64" }, "Il8O0zSXoA/ewPMA8eZeWBkoHPWPguZIrosgWMDEqlA="],
    [{ header: "X-Sig", encoding: "base64url" }, "Il8O0zSXoA_ewPMA8eZeWBkoHPWPguZIrosgWMDEqlA"],
  ])("signs and verifies as openssl does: %j", (options, signature) => {
    const scheme = hmacSignature(options);
    expect(scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW })).toEqual({ "X-Sig": signature });
    expect(check(scheme, [SECRET], { "x-sig": signature }, BODY)).toEqual({ secretIndex: 0 });
  });

  it("accepts hex in upper case", () => {
    const upper = "225F0ED33497A00FDEC0F300F1E65E5819281CF58F82E648AE8B2058C0C4AA50";
    expect(check(hmacSignature({ header: "X-Sig" }), [SECRET], { "x-sig": upper }, BODY)).toEqual({ secretIndex: 0 });
  });

  it("accepts base64 without padding", () => {
    const headers = { "x-sig": "Il8O0zSXoA/ewPMA8eZeWBkoHPWPguZIrosgWMDEqlA" };
    expect(check(hmacSignature({ header: "X-Sig", encoding: "base64" }), [SECRET], headers, BODY)).toEqual({
      secretIndex: 0,
    });
  });

  it("calls a signature with a missing or unexpected prefix malformed", () => {
    const signature = "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50";
    const prefixed = hmacSignature({ header: "X-Sig", prefix: "sha256=" });
    expect(check(prefixed, [SECRET], { "x-sig": signature }, BODY)).toBe("signature_malformed");
    const bare = hmacSignature({ header: "X-Sig" });
    expect(check(bare, [SECRET], { "x-sig": `sha256=${signature}` }, BODY)).toBe("signature_malformed");
  });

  it("signs no timestamp, and verifies at any time", () => {
    const scheme = hmacSignature({ header: "X-Sig" });
    const headers = scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW });
    expect(scheme.signsTimestamp).toBe(false);
    expect(check(scheme, [SECRET], headers, BODY, 0)).toEqual({ secretIndex: 0 });
  });

  it("decodes the secret by secretEncoding", () => {
    const key = Buffer.from(SECRET);
    const signature = { "x-sig": "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50" };
    for (const secretEncoding of ["base64", "hex"] as const) {
      const scheme = hmacSignature({ header: "X-Sig", secretEncoding });
      expect(check(scheme, [key.toString(secretEncoding)], signature, BODY)).toEqual({ secretIndex: 0 });
    }
  });

  it("uses a whole secret that begins with whsec_", () => {
    const scheme = hmacSignature({ header: "X-Sig" });
    const headers = scheme.sign({ secret: `whsec_${SECRET}`, body: BODY, nowMs: NOW });
    expect(check(scheme, [`whsec_${SECRET}`], headers, BODY)).toEqual({ secretIndex: 0 });
    expect(check(scheme, [SECRET], headers, BODY)).toBe("signature_mismatch");
  });
});

describe("hmacSignature and its secrets", () => {
  it.each<[string, HmacSignatureOptions["secretEncoding"]]>([
    ["", "utf8"],
    ["fifteen bytes..", "utf8"],
    ["", "base64"],
    [Buffer.alloc(15, 7).toString("base64"), "base64"],
    ["not base64, but long enough", "base64"],
    [`${Buffer.alloc(16, 7).toString("base64")}\n`, "base64"],
    [Buffer.alloc(15, 7).toString("hex"), "hex"],
    [`${Buffer.alloc(16, 7).toString("hex")}a`, "hex"],
    [`whpk_${Buffer.alloc(32, 7).toString("base64")}`, "utf8"],
    [`whsk_${Buffer.alloc(64, 7).toString("base64")}`, "utf8"],
    [`whpk_${Buffer.alloc(32, 7).toString("base64")}`, "base64"],
  ])("refuse %j as %s, and never show it", (secret, secretEncoding = "utf8") => {
    const scheme = hmacSignature({ header: "X-Sig", secretEncoding });
    const error = thrownBy(() => scheme.prepare(secret));
    expect(error).toMatchObject({ code: "configuration_invalid", message: expect.stringMatching(/^secret: /) });
    expect(secret === "" || !error.message.includes(secret)).toBe(true);
    expect(() => scheme.sign({ secret, body: BODY, nowMs: NOW })).toThrow(WebhookError);
  });

  it("are counted in bytes: eight two-byte characters are 16", () => {
    expect(() => hmacSignature({ header: "X-Sig" }).prepare("é".repeat(8))).not.toThrow();
    expect(() => hmacSignature({ header: "X-Sig" }).prepare("é".repeat(7))).toThrow(/16 bytes/);
  });
});

describe("hmacSignature and its options", () => {
  it.each<[string, unknown]>([
    ["options", undefined],
    ["options", null],
    ["options", "X-Sig"],
    ["header", {}],
    ["header", { header: "" }],
    ["header", { header: "X Sig" }],
    ["header", { header: "X-Sig:" }],
    ["header", { header: "X-Sig\r\n" }],
    ["header", { header: "X-Süg" }],
    ["header", { header: 7 }],
    ["algorithm", { header: "X-Sig", algorithm: "md5" }],
    ["algorithm", { header: "X-Sig", algorithm: "SHA256" }],
    ["encoding", { header: "X-Sig", encoding: "utf8" }],
    ["secretEncoding", { header: "X-Sig", secretEncoding: "base64url" }],
    ["prefix", { header: "X-Sig", prefix: "v1," }],
    ["prefix", { header: "X-Sig", prefix: " sha256=" }],
    ["prefix", { header: "X-Sig", prefix: "é" }],
    ["prefix", { header: "X-Sig", prefix: null }],
    ["toleranceMs", { header: "X-Sig", toleranceMs: 1_000 }],
  ])("names %s when it refuses %j", (option, options) => {
    const error = thrownBy(() => hmacSignature(options as HmacSignatureOptions));
    expect(error.code).toBe("configuration_invalid");
    expect(error.message).toMatch(new RegExp(`^hmacSignature: ${option} `));
  });

  it.each(["sha256=", "HMAC ", "v1:", "+-."])("accepts the prefix %j", (prefix) => {
    const scheme = hmacSignature({ header: "Authorization", prefix });
    const headers = scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW });
    expect(check(scheme, [SECRET], headers, BODY)).toEqual({ secretIndex: 0 });
  });
});

describe("hmacSignature and @octokit/webhooks-methods", () => {
  const scheme = hmacSignature({ header: "X-Hub-Signature-256", prefix: "sha256=" });
  const payload = '{"note":"é $$ \\u00e9"}';

  it("verifies what octokit signs", async () => {
    const headers = { "X-Hub-Signature-256": await octokitSign(SECRET, payload) };
    expect(check(scheme, [SECRET], headers, bytes(payload))).toEqual({ secretIndex: 0 });
  });

  it("signs what octokit verifies", async () => {
    const headers = scheme.sign({ secret: SECRET, body: bytes(payload), nowMs: NOW });
    expect(await octokitVerify(SECRET, payload, headers["X-Hub-Signature-256"] ?? "")).toBe(true);
  });
});

function thrownBy(act: () => unknown): WebhookError {
  try {
    act();
  } catch (error) {
    if (error instanceof WebhookError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
