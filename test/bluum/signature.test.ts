import { sign as octokitSign } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bluumSignature } from "../../src/bluum/signature.ts";
import { bytes, check, NOW, type SchemeUnderTest, schemeContract } from "../schemes/contract.ts";

const SECRET = "a-shared-secret-of-some-length";
const BODY = bytes('{"event":"order.filled","data":{"id":"ord_1","average_price":"178.50"}}');
// openssl dgst -sha256 -hmac <secret>
const SIGNATURE = "225f0ed33497a00fdec0f300f1e65e5819281cf58f82e648ae8b2058c0c4aa50";

function subject(prefix: string): SchemeUnderTest {
  return {
    scheme: bluumSignature(),
    header: "X-Bluum-Signature",
    secrets: fc.string({ unit: "grapheme", minLength: 16, maxLength: 80 }),
    signatureIn: (headers) => Uint8Array.from(Buffer.from(headers["X-Bluum-Signature"] ?? "", "hex")),
    valueWith: (_, signatures) => signatures.map((one) => prefix + Buffer.from(one).toString("hex")).join(", "),
    valueWithText: (_, text) => prefix + text,
  };
}

schemeContract("bluum", subject(""));
schemeContract("bluum, prefixed", subject("sha256="));

describe("bluumSignature", () => {
  it("signs and verifies as openssl does", () => {
    const scheme = bluumSignature();
    expect(scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW })).toEqual({ "X-Bluum-Signature": SIGNATURE });
    expect(check(scheme, [SECRET], { "x-bluum-signature": SIGNATURE }, BODY)).toEqual({ secretIndex: 0 });
  });

  it("accepts the prefix sha256=, as octokit writes it", async () => {
    const headers = { "X-Bluum-Signature": await octokitSign(SECRET, "{}") };
    expect(headers["X-Bluum-Signature"]).toMatch(/^sha256=/);
    expect(check(bluumSignature(), [SECRET], headers, bytes("{}"))).toEqual({ secretIndex: 0 });
  });

  it.each(["sha1=", "SHA256=", "sha256:", "sha256=sha256="])("refuses the prefix %s", (prefix) => {
    const headers = { "X-Bluum-Signature": prefix + SIGNATURE };
    expect(check(bluumSignature(), [SECRET], headers, BODY)).toBe("signature_malformed");
  });
});
