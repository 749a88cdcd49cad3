import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectScheme } from "../../../src/cli/detect.ts";
import { inFull, runs } from "../../exhaustive.ts";
import { character } from "../../unicode.ts";
import { captured, hmac, NOW, SECONDS } from "./captures.ts";
import { Programs, receive, refusalOf } from "./programs.ts";

let programs: Programs;
beforeAll(() => {
  programs = new Programs("property");
});
afterAll(() => programs.remove());

const token = fc.stringMatching(/^[A-Za-z]{3,12}$/);
const header = fc
  .tuple(fc.constantFrom("X-", ""), token, fc.constantFrom("-Signature", "-Hmac", "-Sig"))
  .map((parts) => parts.join(""));
const writing = fc.constantFrom("hex" as const, "base64" as const, "base64url" as const, "HEX" as const);
const prefix = fc.constantFrom("", "sha256=", "v1=", "v0=", "sig:", "HMAC ", "s=");
const joiner = fc.constantFrom(".", "", ":", "|", "\n", "-", "_", ",", " ", ";", "&", "/");
const shape = fc.constantFrom("B", "T B", "I T B", "T I B", "B T", "I B");
const algorithm = fc.constantFrom("sha1", "sha256", "sha384", "sha512");
const secret = fc.oneof(
  fc.stringMatching(/^[!-~]{20,60}$/).map((text) => ({ given: text, key: Buffer.from(text) })),
  fc.uint8Array({ minLength: 20, maxLength: 48 }).chain((bytes) => {
    const key = Buffer.from(bytes);
    return fc
      .constantFrom(
        key.toString("base64"),
        key.toString("hex"),
        key.toString("base64url"),
        `whsec_${key.toString("base64")}`,
      )
      .map((given) => ({ given, key }));
  }),
);
const body = fc
  .record({
    event: fc.constantFrom("order.filled", "kyc.x"),
    data: fc.dictionary(token, fc.oneof(fc.string({ unit: "grapheme" }), fc.integer())),
  })
  .map((value) => JSON.stringify(value));

const combination = fc.record({ header, writing, prefix, joiner, shape, algorithm, secret, body, id: fc.uuid() });
type Combination = typeof combination extends fc.Arbitrary<infer Value> ? Value : never;

/** The delivery of a provider with this combination. */
function sent(of: Combination) {
  const texts: Record<string, string> = { B: of.body, T: SECONDS, I: of.id };
  const digest = hmac(
    of.algorithm,
    of.secret.key,
    of.shape
      .split(" ")
      .map((name) => texts[name])
      .join(of.joiner),
  );
  const written = of.writing === "HEX" ? digest.toString("hex").toUpperCase() : digest.toString(of.writing);
  const headers = { "X-Event-Id": of.id, "X-Sent-At": SECONDS, [of.header]: of.prefix + written };
  return captured({ headers, body: of.body });
}

describe("detect", () => {
  it("finds any combination that it tries, and prints a program that accepts the delivery", {
    ...inFull,
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(combination, async (of) => {
        const capture = sent(of);
        const { verdict, findings } = detectScheme([capture], [of.secret.given]);
        expect(verdict).toBe("one");
        const program = await programs.run(findings[0]?.code ?? "", of.secret.given, NOW);
        expect(refusalOf(await receive(program, capture.capture))).toBe("accepted");
        expect(refusalOf(await receive(program, capture.capture, `${of.body} `))).toBe("signature_mismatch");
      }),
      { numRuns: runs(25, 75) },
    );
  });

  it("prints programs that compile", { ...inFull, timeout: 60_000 }, async () => {
    expect(await programs.compile()).toBe("");
  });

  it("finds nothing with a wrong secret", { ...inFull, timeout: 60_000 }, () => {
    fc.assert(
      fc.property(combination, secret, (of, wrong) => {
        fc.pre(!wrong.key.equals(of.secret.key));
        expect(detectScheme([sent(of)], [wrong.given])).toMatchObject({ verdict: "none", findings: [] });
      }),
      { numRuns: runs(25, 75) },
    );
  });

  it("never throws, and finds nothing in garbage", { ...inFull, timeout: 60_000 }, () => {
    const name = fc.oneof(
      fc.constantFrom("X-Signature", "webhook-id", "webhook-timestamp", "webhook-signature", "Date"),
      fc.string(),
    );
    const value = fc.oneof(
      fc.string({ unit: character }),
      fc.stringMatching(/^[tv01a=, .+/A-Za-z_-]{0,200}$/),
      fc.stringMatching(/^[0-9a-f]{40,64}$/),
      fc.constantFrom("__proto__", "9".repeat(20), `t=${"1".repeat(9_000)}`, "v1,".repeat(3_000), "a".repeat(100_000)),
    );
    const garbage = fc.record({
      receivedAt: fc.string(),
      method: fc.string(),
      url: fc.oneof(fc.string(), fc.webUrl()),
      rawHeaders: fc.array(fc.oneof(name, value), { maxLength: 20 }),
      body: fc.oneof(fc.string({ unit: character }), fc.json()),
    });
    fc.assert(
      fc.property(
        fc.array(garbage, { maxLength: 4 }),
        fc.array(fc.string({ unit: character }), { maxLength: 3 }),
        (captures, secrets) => {
          const named = captures.map((capture) => ({ name: "garbage", capture: { version: 1 as const, ...capture } }));
          expect(detectScheme(named, secrets)).toMatchObject({ verdict: "none", findings: [] });
        },
      ),
      { numRuns: runs(50, 300) },
    );
  });
});
