import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import { type ReceiverOptions, standardWebhooksSignature, timestampedSignature } from "../../../src/index.ts";
import { signDelivery } from "../../../src/testing/index.ts";
import { event, expectRefusal, isSuccess, type Member, SECRET, signed, trial } from "./trial.ts";

const HEADER = "X-Bluum-Signature";
const MINUTE_MS = 60_000;

function wrong(count: number): string[] {
  return Array.from({ length: count }, (_, index) => index.toString(16).padStart(64, "0"));
}

function genuine(body: string): string {
  return signed(body).headers[HEADER] ?? "";
}

/** The cases of one signature header: its value or values for a body, and the refusal that it gets; none is accepted. */
const HEADERS: readonly (readonly [string, (body: string) => string | readonly string[], string | undefined])[] = [
  ["is empty", () => "", "signature_malformed"],
  ["is longer than 8 KiB", (body) => `${genuine(body)}${",".repeat(8 * 1024)}`, "signature_malformed"],
  ["is not hexadecimal", () => "z".repeat(64), "signature_malformed"],
  ["has the wrong length", (body) => genuine(body).slice(0, -2), "signature_malformed"],
  ["is another body's", () => genuine("{}"), "signature_mismatch"],
  [
    "is made with another secret",
    (body) => signDelivery({ secret: "a-guess-of-the-secret-0123456789", event: body }).headers[HEADER] ?? "",
    "signature_mismatch",
  ],
  ["is sent twice, both wrong", () => wrong(2), "signature_mismatch"],
  ["is sent twice, the genuine one second", (body) => [...wrong(1), genuine(body)], undefined],
  ["is sent twice, the genuine one first", (body) => [genuine(body), ...wrong(1)], undefined],
  ["holds the genuine signature beside 15 wrong ones", (body) => [...wrong(15), genuine(body)].join(", "), undefined],
  [
    "holds the genuine signature as the 17th",
    (body) => [...wrong(16), genuine(body)].join(", "),
    "signature_malformed",
  ],
  ["has the prefix sha256=", (body) => `sha256=${genuine(body)}`, undefined],
];

export function signatureCases(member: Member, it: (name: string, run: () => Promise<void>) => void): void {
  it("an unsigned delivery is refused and never reaches the app", () =>
    trial(member, {}, async ({ send, reached }) => {
      expectRefusal(await send({ body: JSON.stringify(event()) }), 401, "signature_missing");
      expect(reached).toEqual([]);
    }));

  for (const [what, header, code] of HEADERS) {
    it(`a delivery whose signature header ${what} is ${code ?? "accepted"}`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const body = JSON.stringify(event());
        const answer = await send({ headers: { [HEADER]: header(body) }, body });
        if (code === undefined) expect(answer).toSatisfy(isSuccess);
        else expectRefusal(answer, 401, code);
        expect(reached).toHaveLength(code === undefined ? 1 : 0);
      }));
  }

  for (const [what, driftMs, accepted] of [
    ["6 minutes old", -6 * MINUTE_MS, false],
    ["6 minutes in the future", 6 * MINUTE_MS, false],
    ["ten years in the future", 10 * 365 * 24 * 60 * MINUTE_MS, false],
    ["4 minutes old", -4 * MINUTE_MS, true],
  ] as const) {
    it(`a signed timestamp ${what} is ${accepted ? "accepted" : "timestamp_out_of_tolerance"}`, () => {
      const scheme = timestampedSignature({ header: "X-Signature" });
      return trial(member, { scheme, sign: (body) => signed(body, scheme) }, async ({ send, reached }) => {
        const answer = await send(signed(event(), scheme, Date.now() + driftMs));
        if (accepted) expect(answer).toSatisfy(isSuccess);
        else expectRefusal(answer, 401, "timestamp_out_of_tolerance");
        expect(reached).toHaveLength(accepted ? 1 : 0);
      });
    });
  }

  it("the bytes of a whpk_ key are no key for an HMAC: who knows the public key cannot sign", () => {
    const scheme = standardWebhooksSignature();
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const pub = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
    const seed = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
    const whpk = `whpk_${pub.toString("base64")}`;
    const sign = (body: object) =>
      signDelivery({ secret: `whsk_${Buffer.concat([seed, pub]).toString("base64")}`, event: body, scheme });
    return trial(member, { secret: whpk, scheme, sign }, async ({ send, reached }) => {
      for (const key of [pub, Buffer.from(whpk), Buffer.from(whpk.slice("whpk_".length))]) {
        const forged = signDelivery({ secret: `whsec_${key.toString("base64")}`, event: event(), scheme });
        const signature = Object.entries(forged.headers).find(([name]) => name.toLowerCase() === "webhook-signature");
        for (const version of ["v1", "v1a"]) {
          const headers = { ...forged.headers, [signature?.[0] ?? ""]: (signature?.[1] ?? "").replace(/^v1/, version) };
          expect((await send({ ...forged, headers })).status).toBe(401);
        }
      }
      expect(reached).toEqual([]);
    });
  });

  const answers: readonly (readonly [string, () => unknown])[] = [
    ["returns an empty string", () => ""],
    ["returns blanks", () => " ".repeat(20)],
    ["returns an empty list", () => []],
    ["returns undefined", () => undefined],
    ["returns a secret too short to keep", () => "short"],
    ["never answers", () => new Promise(() => {})],
    ["throws", () => Promise.reject(new Error("the secret manager is away"))],
    [
      "throws at once",
      () => {
        throw new Error("the secret manager is away");
      },
    ],
  ];
  for (const [what, bad] of answers) {
    it(`a secret function that ${what} is answered 503 secret_unavailable, whatever the signature`, () => {
      let well = false;
      const secret = (() => (well ? SECRET : bad())) as Exclude<ReceiverOptions["secret"], string>;
      return trial(member, { secret, secretTimeoutMs: 50 }, async ({ send, reached }) => {
        const body = JSON.stringify(event());
        expectRefusal(await send(signed(body)), 503, "secret_unavailable");
        expectRefusal(await send({ headers: { [HEADER]: wrong(1) }, body }), 503, "secret_unavailable");
        expect(reached).toEqual([]);
        well = true;
        expect(await send(signed(body))).toSatisfy(isSuccess);
      });
    });
  }

  it("a request without a well-formed signature never calls the secret function", () => {
    let calls = 0;
    const secret = () => {
      calls += 1;
      return SECRET;
    };
    return trial(member, { secret }, async ({ send }) => {
      await send({ body: "{}" });
      await send({ headers: { [HEADER]: "nonsense" }, body: "{}" });
      expect(calls).toBe(0);
    });
  });
}
