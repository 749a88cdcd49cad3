import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectScheme } from "../../../src/cli/detect.ts";
import {
  bluumSignature,
  hmacSignature,
  type SignatureScheme,
  standardWebhooksSignature,
  timestampedSignature,
} from "../../../src/index.ts";
import { signDelivery } from "../../../src/testing/index.ts";
import { BODY, captured, hmac, NOW, SECONDS, SECRET } from "./captures.ts";
import { Programs, receive, refusalOf } from "./programs.ts";

const RAW_KEY = Buffer.from("fbefbe7f00112233445566778899aabbccddeeff", "hex");
const WHSEC = `whsec_${RAW_KEY.toString("base64")}`;
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const WHPK = `whpk_${publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64")}`;
const WHSK = `whsk_${privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64")}`;

/** The package's schemes, each with its code, the secret that signs and the secret of the receiver. */
const SCHEMES: readonly (readonly [call: string, scheme: SignatureScheme, signs: string, verifies: string])[] = [
  ["bluumSignature()", bluumSignature(), SECRET, SECRET],
  ...(["sha1", "sha256", "sha512"] as const).flatMap((algorithm) =>
    (["hex", "base64", "base64url"] as const).map((encoding) => {
      const options = {
        header: "X-Acme-Sig",
        ...(algorithm !== "sha256" && { algorithm }),
        ...(encoding !== "hex" && { encoding }),
      };
      const listed = Object.entries(options).map(([name, value]) => `${name}: "${value}"`);
      return [`hmacSignature({ ${listed.join(", ")} })`, hmacSignature(options), SECRET, SECRET] as const;
    }),
  ),
  [
    'hmacSignature({ header: "X-Acme-Sig", prefix: "sha256=", secretEncoding: "hex" })',
    hmacSignature({ header: "X-Acme-Sig", prefix: "sha256=", secretEncoding: "hex" }),
    RAW_KEY.toString("hex"),
    RAW_KEY.toString("hex"),
  ],
  ['timestampedSignature({ header: "X-Acme-Sig" })', timestampedSignature({ header: "X-Acme-Sig" }), SECRET, SECRET],
  ['timestampedSignature({ header: "X-Acme-Sig" })', timestampedSignature({ header: "X-Acme-Sig" }), WHSEC, WHSEC],
  ["standardWebhooksSignature()", standardWebhooksSignature(), WHSEC, WHSEC],
  ["standardWebhooksSignature()", standardWebhooksSignature(), WHSK, WHPK],
];

let programs: Programs;
beforeAll(() => {
  programs = new Programs("schemes");
});
afterAll(() => programs.remove());

describe("detect, on deliveries signed with the package's own schemes", () => {
  it.each(SCHEMES)("finds %s", async (call, scheme, signs, verifies) => {
    const captures = [BODY, BODY.replace("ord_1", "ord_2"), BODY.replace("ord_1", "ord_3")].map((body) => {
      const { headers } = signDelivery({ secret: signs, scheme, event: body, now: NOW });
      return captured({ headers, body });
    });

    const detection = detectScheme(captures, [verifies]);

    expect(detection).toMatchObject({ verdict: "one", findings: [{ scheme: call, preset: true }] });
    const program = await programs.run(detection.findings[0]?.code ?? "", verifies, NOW);
    for (const { capture } of captures) expect(refusalOf(await receive(program, capture))).toBe("accepted");
  });

  it("prints the scheme line for the default scheme as well", () => {
    const { headers } = signDelivery({ secret: SECRET, event: BODY, now: NOW });
    const [finding] = detectScheme([captured({ headers })], [SECRET]).findings;
    expect(finding?.code).toBe(
      [
        'import { bluumSignature, createReceiver } from "bluum-webhooks";',
        "",
        "export const receiver = createReceiver({",
        "  secret: process.env.BLUUM_WEBHOOK_SECRET,",
        "  scheme: bluumSignature(),",
        "});",
        "",
      ].join("\n"),
    );
  });
});

describe("a scheme printed in full", () => {
  const sends = (body: string, secret: string) => ({
    body,
    headers: {
      "X-Acme-Event-Id": "evt_1",
      "X-Acme-Signature": `ts=${SECONDS};h1=${hmac("sha384", secret, "evt_1.", SECONDS, ".", body).toString("base64")}`,
    },
  });

  async function printed() {
    const detection = detectScheme([captured(sends(BODY, SECRET))], [SECRET]);
    expect(detection).toMatchObject({ verdict: "one", findings: [{ scheme: "scheme", preset: false }] });
    const program = await programs.run(detection.findings[0]?.code ?? "", SECRET, NOW);
    return { ...program, code: detection.findings[0]?.code };
  }

  it("signs like the provider", async () => {
    const { scheme, code } = await printed();
    const { headers } = signDelivery({
      secret: SECRET,
      scheme: scheme as SignatureScheme,
      event: BODY,
      now: NOW,
      messageId: "evt_1",
    });
    expect(headers).toMatchObject(sends(BODY, SECRET).headers);
    expect(detectScheme([captured({ headers })], [SECRET]).findings[0]?.code).toBe(code);
  });

  it.each([
    [
      "a stale timestamp",
      (value: string) => value.replace(SECONDS, String(Number(SECONDS) - 301)),
      "timestamp_out_of_tolerance",
    ],
    [
      "a timestamp in the future",
      (value: string) => value.replace(SECONDS, String(Number(SECONDS) + 301)),
      "timestamp_out_of_tolerance",
    ],
    ["another timestamp", (value: string) => value.replace(SECONDS, String(Number(SECONDS) + 1)), "signature_mismatch"],
    ["no timestamp", (value: string) => value.replace(/^ts=\d+;/, ""), "signature_malformed"],
    ["no signature", (value: string) => value.replace(/h1=.*/, ""), "signature_malformed"],
    ["a cut signature", (value: string) => value.slice(0, -1), "signature_malformed"],
    [
      "more than 16 signatures",
      (value: string) => value + value.replace(/^ts=\d+/, "").repeat(16),
      "signature_malformed",
    ],
    ["more than 8 KiB", (value: string) => value + ";".repeat(8 * 1024), "signature_malformed"],
    ["an empty header", () => "", "signature_malformed"],
  ])("refuses %s", async (_, change, code) => {
    const program = await printed();
    const { headers } = sends(BODY, SECRET);
    const forged = captured({ headers: { ...headers, "X-Acme-Signature": change(headers["X-Acme-Signature"]) } });
    expect(refusalOf(await receive(program, forged.capture))).toBe(code);
  });

  it("refuses an id that contains the separator, and another id", async () => {
    const program = await printed();
    const { headers } = sends(BODY, SECRET);
    for (const [id, code] of [
      ["evt.1", "signature_malformed"],
      ["evt_2", "signature_mismatch"],
    ] as const) {
      const forged = captured({ headers: { ...headers, "X-Acme-Event-Id": id } });
      expect(refusalOf(await receive(program, forged.capture))).toBe(code);
    }
  });

  it("passes on a signed id whose header is named after the event", async () => {
    const program = await printed();
    const outcome = await receive(program, captured(sends(BODY, SECRET)).capture);
    expect(outcome).toMatchObject({ kind: "accepted", event: { id: "evt_1" }, context: { identifiedBy: "scheme" } });
  });

  it("refuses a secret that can be guessed", async () => {
    const { scheme } = await printed();
    expect(() => scheme?.prepare("fifteen bytes..")).toThrow(/too short/);
  });
});
