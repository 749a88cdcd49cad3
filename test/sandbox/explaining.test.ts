import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bluumSignature,
  hmacSignature,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
} from "../../src/index.ts";
import { explain } from "../../src/sandbox/signing/explain.ts";
import { signatureForm } from "../../src/sandbox/signing/form.ts";
import { freshSecret } from "../../src/sandbox/signing/secrets.ts";
import { recordingEndpoint, sandboxed } from "./endpoints.ts";

const seed = generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
const BASE64 = Buffer.from("a secret of 24 bytes, ok").toString("base64");

const SCHEMES: Record<string, readonly [SignatureScheme, string?]> = {
  bluum: [bluumSignature()],
  "hmac in base64 with a prefix": [hmacSignature({ header: "X-Sig", encoding: "base64", prefix: "sha256=" })],
  "hmac in base64url, SHA-1": [hmacSignature({ header: "X-Sig", encoding: "base64url", algorithm: "sha1" })],
  "hmac in hex, SHA-512": [hmacSignature({ header: "X-Sig", algorithm: "sha512" })],
  "hmac with a prefix that looks like code": [hmacSignature({ header: "X-Sig", prefix: "`$" + '{x}"{id}"=' })],
  "hmac with a key in base64": [hmacSignature({ header: "X-Sig", secretEncoding: "base64" }), BASE64],
  "hmac with a key in hex": [hmacSignature({ header: "X-Sig", secretEncoding: "hex" })],
  timestamped: [timestampedSignature({ header: "Stripe-Signature" })],
  "standard webhooks": [standardWebhooksSignature()],
  "standard webhooks, ed25519": [standardWebhooksSignature(), `whsk_${seed.toString("base64")}`],
};

function run(program: string): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }).trimEnd();
}

describe.each(Object.entries(SCHEMES))("the explanation of a signature: %s", (_, [scheme, given]) => {
  const secret = given ?? freshSecret(scheme);
  const body = Buffer.from('{"event":"order.filled","note":"`$' + '{1}` \\" ü \u2028"}', "utf8");
  const messageId = "msg_1";
  const nowMs = 1_772_366_400_123;
  const headers = scheme.sign({ secret, body, messageId, nowMs });
  const signed = { headers, secret, signedAtMs: nowMs };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

  it("has a program that prints the same header", () => {
    const { program, genuine } = explain({ scheme, signed, body, messageId, forgery: null });
    expect(genuine).toBe(true);
    expect(lines).toContain(run(program));
  });

  it("has a program for a body that is not text", () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const binary = { ...signed, headers: scheme.sign({ secret, body: bytes, messageId, nowMs }) };
    const { program } = explain({ scheme, signed: binary, body: bytes, messageId, forgery: null });
    expect(Object.entries(binary.headers).map(([name, value]) => `${name}: ${value}`)).toContain(run(program));
  });

  it("has steps for the content, the key, the signature and the header", () => {
    const { steps } = explain({ scheme, signed, body, messageId, forgery: null });
    expect(steps.map(({ title }) => title)).toEqual([
      "What is signed",
      "The key",
      "The signature",
      "The header",
      "What your endpoint does",
    ]);
    expect(steps[0]?.code).toContain(body.toString());
    expect(steps[1]?.code).toBe(secret);
    expect(lines).toContain(steps[3]?.code);
    expect(steps[3]?.code?.endsWith(steps[2]?.code ?? "-")).toBe(true);
    expect(steps[2]?.code).toMatch(/^[\w+/=-]{27,}$/);
  });

  it("says what a forged delivery sent instead", () => {
    const sent = { ...signed, headers: {} };
    const { steps, genuine } = explain({ scheme, signed: sent, body, messageId, forgery: "No signature at all" });
    expect(genuine).toBe(false);
    expect(steps.at(-1)).toMatchObject({ title: "What was sent instead", code: "(no signature header)" });
    expect(steps.at(-1)?.text).toContain("no signature at all");
  });
});

describe("finding the form of a signature", () => {
  it("finds every form of a plain HMAC", () => {
    const options = fc.record({
      algorithm: fc.constantFrom("sha1", "sha256", "sha512"),
      encoding: fc.constantFrom("hex", "base64", "base64url"),
      secretEncoding: fc.constantFrom("utf8", "base64", "hex"),
      prefix: fc.constantFrom("", "sha256=", "v1="),
    } as const);
    fc.assert(
      fc.property(options, fc.uint8Array({ minLength: 24, maxLength: 48 }), (chosen, bytes) => {
        const encoding = chosen.secretEncoding === "utf8" ? "hex" : chosen.secretEncoding;
        const secret = Buffer.from(bytes).toString(encoding);
        const { algorithm, encoding: written, secretEncoding: key, prefix: before } = chosen;
        const form = signatureForm(hmacSignature({ header: "X-Sig", ...chosen }), secret);
        expect(form).toEqual({ header: "X-Sig", content: "body", algorithm, encoding: written, key, before: [before] });
      }),
    );
  });

  it("says that the form of a scheme is unknown", () => {
    const own: SignatureScheme = {
      ...bluumSignature(),
      name: "own",
      description: "X-Own: the length of the body",
      sign: ({ body }) => ({ "X-Own": String(body.byteLength) }),
    };
    const signed = { headers: {}, secret: "s", signedAtMs: 0 };
    const { steps, program } = explain({ scheme: own, signed, body: Buffer.of(1), messageId: "m", forgery: null });
    expect(steps[0]?.code).toBe("X-Own: the length of the body");
    expect(program).toContain("own");
  });
});

describe("a delivery that was sent", () => {
  it("carries the header that its explanation's program computes", async () => {
    const { url, arrived } = await recordingEndpoint();
    const sandbox = await sandboxed({ scheme: timestampedSignature({ header: "X-Sig" }) });
    await sandbox.endpoint({ url });
    const [sent] = await sandbox.send("order.filled");
    await sandbox.settled();
    const program = sandbox.delivery(sent?.id ?? "")?.attempts[0]?.signature.program ?? "";
    expect(run(program)).toBe(`X-Sig: ${arrived[0]?.headers["x-sig"]}`);
  });
});
