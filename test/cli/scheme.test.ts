import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseScheme, schemeCode, schemeOf, schemeText } from "../../src/cli/scheme.ts";
import * as index from "../../src/index.ts";
import { character } from "../unicode.ts";

/** Evaluates a line of code, with the package's schemes in scope. */
function evaluate(code: string): index.SignatureScheme {
  const { bluumSignature, hmacSignature, timestampedSignature, standardWebhooksSignature } = index;
  const scope = { bluumSignature, hmacSignature, timestampedSignature, standardWebhooksSignature };
  return new Function(...Object.keys(scope), `return ${code}`)(...Object.values(scope));
}

const SECRET = `whsec_${Buffer.from("a secret of 16 bytes or more").toString("base64")}`;
const body = new TextEncoder().encode("{}");
const signed = (scheme: index.SignatureScheme) =>
  scheme.sign({ secret: SECRET, body, nowMs: 1e12, messageId: "msg_1" });

describe("--scheme", () => {
  it.each([
    ["bluum", "bluumSignature()"],
    ["hmac:header=X-Sig", 'hmacSignature({ header: "X-Sig" })'],
    [
      "hmac:header=X-Sig,encoding=base64,prefix=sha256=",
      'hmacSignature({ header: "X-Sig", encoding: "base64", prefix: "sha256=" })',
    ],
    ["timestamped:header=X-Sig,toleranceMs=60000", 'timestampedSignature({ header: "X-Sig", toleranceMs: 60000 })'],
    ["standard-webhooks", "standardWebhooksSignature()"],
  ])("%s means %s", (text, code) => {
    const choice = parseScheme(text);
    expect(schemeCode(choice)).toBe(code);
    expect(schemeText(choice)).toBe(text);
    expect(signed(evaluate(code))).toEqual(signed(schemeOf(choice)));
  });

  it("round-trips through text and code, with any options of an HMAC", () => {
    const options = fc.record(
      {
        header: fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,20}$/),
        algorithm: fc.constantFrom("sha1", "sha256", "sha512"),
        encoding: fc.constantFrom("hex", "base64", "base64url"),
        prefix: fc.stringMatching(/^[!-+\--~][ -+\--~]{0,12}$/),
      },
      { requiredKeys: ["header"] },
    );
    fc.assert(
      fc.property(options, (given) => {
        const choice = { preset: "hmac" as const, options: given };
        const parsed = parseScheme(schemeText(choice));
        expect(parsed).toEqual(choice);
        expect(signed(evaluate(schemeCode(parsed)))).toEqual(signed(schemeOf(choice)));
      }),
    );
  });

  it.each([
    ["hmca", /"hmca" is not a scheme; the schemes are bluum, hmac, timestamped, standard-webhooks/],
    ["", /"" is not a scheme/],
    ["constructor", /is not a scheme/],
    ["hmac", /header must be the name/],
    ["hmac:header=X Sig", /header must be the name/],
    ["hmac:head=X-Sig", /"head" is not an option of hmac; the options are header, algorithm/],
    ["hmac:__proto__=x", /is not an option of hmac/],
    ["hmac:header", /header has no value; write header=…/],
    ["hmac:header=A,header=B", /header is given twice/],
    ["hmac:header=A,", /"" is not an option of hmac/],
    ["hmac:header=A,encoding=utf8", /encoding must be one of hex, base64, base64url/],
    ["bluum:header=A", /"header" is not an option of bluum; it has none/],
    ["timestamped:header=A,toleranceMs=5s", /toleranceMs must be a whole number of milliseconds/],
    ["timestamped:header=A,toleranceMs=1", /toleranceMs must be a whole number from 1000/],
  ])("refuses %j with a reason", (text, message) => {
    expect(() => parseScheme(text)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) }),
    );
  });

  it("accepts any text or throws an error with a code", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: character }),
        fc.constantFrom("", "hmac:", "timestamped:", "standard-webhooks:"),
        (text, name) => {
          try {
            schemeOf(parseScheme(name + text));
          } catch (error) {
            expect(error).toMatchObject({ code: "scheme_invalid" });
          }
        },
      ),
    );
  });
});
