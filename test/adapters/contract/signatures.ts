import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import { type ReceiverOptions, standardWebhooksSignature, timestampedSignature } from "../../../src/index.ts";
import { signDelivery } from "../../../src/testing/index.ts";
import { event, expectRefusal, type It, isSuccess, type Member, SECRET, signed, trial } from "./trial.ts";

const HEADER = "X-Bluum-Signature";
const MINUTE_MS = 60_000;

function wrong(count: number): string[] {
  return Array.from({ length: count }, (_, index) => index.toString(16).padStart(64, "0"));
}

function genuine(body: string): string {
  return signed(body).headers[HEADER] ?? "";
}

/** What the signature header is, its value or values for a body, and the code of the refusal; without a code it is accepted. */
type HeaderCase = readonly [string, (body: string) => string | readonly string[], string?];

/** Headers that a framework could lose or change on their way to the receiver. */
const HEADERS: readonly HeaderCase[] = [
  ["is empty", () => "", "signature_malformed"],
  ["is another body's", () => genuine("{}"), "signature_mismatch"],
  ["is sent twice, the genuine one second", (body) => [...wrong(1), genuine(body)]],
];

const MORE_HEADERS: readonly HeaderCase[] = [
  ["is longer than 8 KiB", (body) => `${genuine(body)}${",".repeat(8 * 1024)}`, "signature_malformed"],
  ["is not hexadecimal", () => "z".repeat(64), "signature_malformed"],
  ["has the wrong length", (body) => genuine(body).slice(0, -2), "signature_malformed"],
  [
    "is made with another secret",
    (body) => signDelivery({ secret: "a-guess-of-the-secret-0123456789", event: body }).headers[HEADER] ?? "",
    "signature_mismatch",
  ],
  ["is sent twice, both wrong", () => wrong(2), "signature_mismatch"],
  ["is sent twice, the genuine one first", (body) => [genuine(body), ...wrong(1)]],
  ["holds the genuine signature and 15 wrong ones", (body) => [...wrong(15), genuine(body)].join(", ")],
  [
    "holds the genuine signature as the 17th",
    (body) => [...wrong(16), genuine(body)].join(", "),
    "signature_malformed",
  ],
  ["has the prefix sha256=", (body) => `sha256=${genuine(body)}`],
];

/** For every mount: the signature reaches the receiver as it was sent. */
export function signatureCases(member: Member, it: It): void {
  it("an unsigned delivery is refused and does not reach the app", () =>
    trial(member, {}, async ({ send, reached }) => {
      expectRefusal(await send({ body: JSON.stringify(event()) }), 401, "signature_missing");
      expect(reached).toEqual([]);
    }));
  headerCases(member, it, HEADERS);
}

/** For one mount of each family: every signature, timestamp and secret. */
export function allSignatureCases(member: Member, it: It): void {
  signatureCases(member, it);
  headerCases(member, it, MORE_HEADERS);
  timestampCases(member, it);
  publicKeyCase(member, it);
  secretCases(member, it);
}

function headerCases(member: Member, it: It, cases: readonly HeaderCase[]): void {
  for (const [what, header, code] of cases) {
    it(`a delivery whose signature header ${what} is ${code ?? "accepted"}`, () =>
      trial(member, {}, async ({ send, reached }) => {
        const body = JSON.stringify(event());
        const answer = await send({ headers: { [HEADER]: header(body) }, body });
        if (code === undefined) expect(answer).toSatisfy(isSuccess);
        else expectRefusal(answer, 401, code);
        expect(reached).toHaveLength(code === undefined ? 1 : 0);
      }));
  }
}

function timestampCases(member: Member, it: It): void {
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
}

function publicKeyCase(member: Member, it: It): void {
  it("the bytes of a whpk_ public key are refused as an HMAC key", () => {
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
}

/** What a secret function may do instead of returning a secret. */
const BAD_SECRETS: readonly (readonly [string, () => unknown])[] = [
  ["returns an empty string", () => ""],
  ["returns blanks", () => " ".repeat(20)],
  ["returns an empty list", () => []],
  ["returns undefined", () => undefined],
  ["returns a secret that is too short", () => "short"],
  ["never settles", () => new Promise(() => {})],
  ["rejects", () => Promise.reject(new Error("the secret manager is down"))],
  [
    "throws",
    () => {
      throw new Error("the secret manager is down");
    },
  ],
];

function secretCases(member: Member, it: It): void {
  for (const [what, bad] of BAD_SECRETS) {
    it(`if the secret function ${what}, every signature is answered 503 secret_unavailable`, () => {
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
