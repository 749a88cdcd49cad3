import { createHmac, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, it } from "vitest";
import { type StandardWebhooksOptions, standardWebhooksSignature } from "../../src/schemes/standard-webhooks.ts";
import { bytes, check, NOW, type SchemeUnderTest, schemeContract } from "./contract.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLrSw";
const PRIVATE = "whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc=";
const PUBLIC = "whpk_/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SIGNED_AT = 1_614_265_330_000;
const TEXT = '{"test": 2432232314}';
const BODY = bytes(TEXT);
// printf '<id>.<timestamp>.<body>' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<key> -binary | base64
const V1 = "v1,zRd/sq4GlCCYnqDAvD100dk132bKfRqo7e9hOdCd62s=";
// openssl pkeyutl -sign -inkey <key> -rawin -in <the same> | base64
const V1A = "v1a,CbWWbcW7B69jFUBICrevjm7uB16AqaX4X9zprrpWvW4012zWjiDpguw4L1VnBIktLL4pyfhNhZgLFTYi5s10AA==";

const scheme = standardWebhooksSignature();

function headersWith(signature: string, set = "webhook"): Record<string, string> {
  return { [`${set}-id`]: ID, [`${set}-timestamp`]: String(SIGNED_AT / 1_000), [`${set}-signature`]: signature };
}

function checked(headers: Record<string, string>, secrets: readonly string[] = [SECRET], nowMs = SIGNED_AT): unknown {
  return check(scheme, secrets, headers, BODY, nowMs);
}

const subject: SchemeUnderTest = {
  scheme,
  header: "webhook-signature",
  secrets: fc.uint8Array({ minLength: 16, maxLength: 64 }).map((key) => `whsec_${Buffer.from(key).toString("base64")}`),
  signatureIn: (headers) => Uint8Array.from(Buffer.from(headers["webhook-signature"]?.slice(3) ?? "", "base64")),
  valueWith: (_, signatures) => signatures.map((one) => `v1,${Buffer.from(one).toString("base64")}`).join(" "),
  valueWithText: (_, text) => `v1,${text}`,
};

schemeContract("standard webhooks", subject);

/** Public keys by the private key that signs for them: the contract hands the secret it signs with to both sides. */
const asymmetric: SchemeUnderTest = {
  scheme: { ...scheme, prepare: (secret) => scheme.prepare(publicKeyOf.get(secret) ?? secret) },
  tried: 4,
  header: "webhook-signature",
  secrets: fc.noShrink(fc.constant(null)).map(newPrivateKey),
  signatureIn: (headers) => Uint8Array.from(Buffer.from(headers["webhook-signature"]?.slice(4) ?? "", "base64")),
  valueWith: (_, signatures) => signatures.map((one) => `v1a,${Buffer.from(one).toString("base64")}`).join(" "),
  valueWithText: (_, text) => `v1a,${text}`,
};

const publicKeyOf = new Map<string, string>();

function newPrivateKey(): string {
  const pair = generateKeyPairSync("ed25519");
  const seed = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const point = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const secret = `whsk_${Buffer.concat([seed, point]).toString("base64")}`;
  publicKeyOf.set(secret, `whpk_${point.toString("base64")}`);
  return secret;
}

schemeContract("standard webhooks, ed25519", asymmetric);

describe("standardWebhooksSignature", () => {
  it("signs and verifies v1 as openssl does", () => {
    expect(scheme.sign({ secret: SECRET, body: BODY, messageId: ID, nowMs: SIGNED_AT })).toEqual(headersWith(V1));
    expect(checked(headersWith(V1))).toEqual({ secretIndex: 0, messageId: ID });
  });

  it("signs and verifies v1a as openssl does", () => {
    expect(scheme.sign({ secret: PRIVATE, body: BODY, messageId: ID, nowMs: SIGNED_AT })).toEqual(headersWith(V1A));
    expect(checked(headersWith(V1A), [PUBLIC])).toEqual({ secretIndex: 0, messageId: ID });
  });

  it("signs with a private key of 64 bytes, the seed before the public key", () => {
    const halves = [PRIVATE, PUBLIC].map((key) => Buffer.from(key.slice(5), "base64"));
    const secret = `whsk_${Buffer.concat(halves).toString("base64")}`;
    expect(scheme.sign({ secret, body: BODY, messageId: ID, nowMs: SIGNED_AT })).toEqual(headersWith(V1A));
  });

  it("signs a random message id by default", () => {
    const sign = (): string => scheme.sign({ secret: SECRET, body: BODY, nowMs: NOW })["webhook-id"] ?? "";
    expect(sign()).toMatch(/^msg_[0-9a-f-]{36}$/);
    expect(sign()).not.toBe(sign());
  });

  it("verifies both versions side by side, each with its own key", () => {
    expect(checked(headersWith(`${V1} ${V1A}`), [PUBLIC, SECRET])).toMatchObject({ secretIndex: 0 });
    expect(checked(headersWith(`${V1A} ${V1}`), [SECRET, PUBLIC])).toMatchObject({ secretIndex: 0 });
    expect(checked(headersWith(V1), [PUBLIC, SECRET])).toMatchObject({ secretIndex: 1 });
    expect(checked(headersWith(V1A), [SECRET, PUBLIC])).toMatchObject({ secretIndex: 1 });
  });

  it.each([
    `${V1}, v1,AAA`,
    `v1,AAA,${V1}`,
    `${V1},v1,AAA`,
    `${V1A},${V1}`,
    `  ${V1}\t${V1A} `,
    `v1 ${V1}`,
    `v1,${V1}`,
  ])("finds the genuine signature in %j", (value) => {
    expect(checked(headersWith(value))).toMatchObject({ secretIndex: 0 });
  });

  it("ignores unknown versions", () => {
    expect(checked(headersWith(`v2,${V1.slice(3)} v0,x ${V1} v10,y`))).toMatchObject({ secretIndex: 0 });
    expect(checked(headersWith(`v2,${V1.slice(3)}`))).toBe("signature_malformed");
    expect(checked(headersWith(V1.slice(3)))).toBe("signature_malformed");
  });

  it("tries the first four v1a signatures and ignores the others", () => {
    const wrong = (count: number) => Array.from({ length: count }, (_, place) => V1A.replace(/,../, `,A${place}`));
    expect(checked(headersWith([...wrong(3), V1A].join(" ")), [PUBLIC])).toMatchObject({ secretIndex: 0 });
    expect(checked(headersWith([...wrong(4), V1A].join(" ")), [PUBLIC])).toBe("signature_mismatch");
    expect(checked(headersWith([...wrong(4), V1A, V1].join(" ")), [PUBLIC, SECRET])).toMatchObject({ secretIndex: 1 });
  });

  it("counts v1 and v1a together", () => {
    expect(checked(headersWith(`${`${V1A} `.repeat(15)}${V1}`))).toMatchObject({ secretIndex: 0 });
    expect(checked(headersWith(`${`${V1A} `.repeat(16)}${V1}`))).toBe("signature_malformed");
  });
});

describe("what a Standard Webhooks signature covers", () => {
  it("is the message id", () => {
    expect(checked({ ...headersWith(V1), "webhook-id": "msg_another" })).toBe("signature_mismatch");
    expect(checked({ ...headersWith(V1A), "webhook-id": "msg_another" }, [PUBLIC])).toBe("signature_mismatch");
  });

  it("is the timestamp, digit for digit", () => {
    const other = String(SIGNED_AT / 1_000 + 1);
    expect(checked({ ...headersWith(V1), "webhook-timestamp": other })).toBe("signature_mismatch");
    expect(checked({ ...headersWith(V1), "webhook-timestamp": "01614265330" })).toBe("signature_mismatch");
  });

  it("cannot be split in another way, since an id with a full stop is malformed", () => {
    const fresh = SIGNED_AT / 1_000 + 86_400;
    const body = bytes(`{"note":"x.${fresh}.{}"}`);
    const genuine = scheme.sign({ secret: SECRET, body, messageId: ID, nowMs: SIGNED_AT });
    const replay = {
      ...genuine,
      "webhook-id": `${ID}.${SIGNED_AT / 1_000}.{"note":"x`,
      "webhook-timestamp": String(fresh),
    };
    expect(check(scheme, [SECRET], replay, bytes('{}"}'), fresh * 1_000)).toBe("signature_malformed");
  });

  it.each(["", "a.b", "a b", "a\tb", "é", "a\u007f", "x".repeat(8 * 1024 + 1), `${ID}, ${ID}`])(
    "does not take the id %j, nor sign it",
    (id) => {
      expect(checked({ ...headersWith(V1), "webhook-id": id })).toBe("signature_malformed");
      expect(() => scheme.sign({ secret: SECRET, body: BODY, messageId: id, nowMs: NOW })).toThrow(/messageId/);
    },
  );

  it.each(["", "now", "-1", "1.5", "1e9", " 1614265330", "1614265330, 1614265330", "1234567890123456"])(
    "does not take the timestamp %j",
    (timestamp) => {
      expect(checked({ ...headersWith(V1), "webhook-timestamp": timestamp })).toBe("signature_malformed");
    },
  );

  it("is refused more than five minutes later or earlier", () => {
    const tolerance = 5 * 60_000;
    for (const direction of [1, -1]) {
      expect(checked(headersWith(V1), [SECRET], SIGNED_AT + direction * tolerance)).toMatchObject({ secretIndex: 0 });
      expect(checked(headersWith(V1), [SECRET], SIGNED_AT + direction * (tolerance + 1))).toBe(
        "timestamp_out_of_tolerance",
      );
    }
  });

  it("is refused ten years ahead, genuine or not", () => {
    const tenYears = 10 * 365.25 * 24 * 60 * 60_000;
    expect(checked(headersWith(V1), [SECRET], SIGNED_AT - tenYears)).toBe("timestamp_out_of_tolerance");
    expect(checked(headersWith("v1,".concat("A".repeat(43))), [SECRET], SIGNED_AT - tenYears)).toBe(
      "timestamp_out_of_tolerance",
    );
  });
});

describe("the header names of Standard Webhooks", () => {
  it("can be those of Svix", () => {
    expect(checked(headersWith(V1, "svix"))).toEqual({ secretIndex: 0, messageId: ID });
  });

  it("are its own if both sets were sent", () => {
    const forged = "v1,".concat("A".repeat(43));
    expect(checked({ ...headersWith(V1), ...headersWith(forged, "svix") })).toMatchObject({ secretIndex: 0 });
    expect(checked({ ...headersWith(forged), ...headersWith(V1, "svix") })).toBe("signature_mismatch");
  });

  it("are never mixed from two sets", () => {
    const { "webhook-id": _, ...withoutId } = headersWith(V1);
    expect(checked({ ...withoutId, "svix-id": ID })).toBe("signature_missing");
    expect(checked({ ...withoutId, ...headersWith(V1, "svix") })).toMatchObject({ secretIndex: 0 });
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("are missing without %s", (name) => {
    const { [name]: _, ...rest } = headersWith(V1);
    expect(checked(rest)).toBe("signature_missing");
  });
});

describe("the keys of Standard Webhooks", () => {
  const content = `${ID}.${SIGNED_AT / 1_000}.${TEXT}`;
  const hmacUnder = (key: string | Buffer): string => createHmac("sha256", key).update(content).digest("base64");

  it("never use the bytes of a public key as an HMAC key", () => {
    const point = Buffer.from(PUBLIC.slice(5), "base64");
    for (const key of [point, PUBLIC, PUBLIC.slice(5), ""]) {
      expect(checked(headersWith(`v1,${hmacUnder(key)}`), [PUBLIC])).toBe("signature_mismatch");
    }
  });

  it("never use a shared secret as a public key", () => {
    const shared = `whsec_${PUBLIC.slice(5)}`;
    expect(checked(headersWith(V1A), [shared])).toBe("signature_mismatch");
    expect(checked(headersWith(V1A), [SECRET])).toBe("signature_mismatch");
  });

  it.each([
    ["", "whsec_"],
    ["whsec_", "base64"],
    ["whsec_====", "base64"],
    ["whsec_not base64 at all, but long", "base64"],
    [`${SECRET}\n`, "base64"],
    [`${SECRET.slice(0, 20)}-${SECRET.slice(21)}`, "base64"],
    [`whsec_${Buffer.alloc(15, 7).toString("base64")}`, "16 bytes"],
    [SECRET.slice(6), "whsec_"],
    [PUBLIC.slice(5), "whsec_"],
    ["WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLrSw", "whsec_"],
    ["whpk_", "base64"],
    [`whpk_${Buffer.alloc(31, 7).toString("base64")}`, "32 bytes"],
    [`whpk_${Buffer.alloc(64, 7).toString("base64")}`, "32 bytes"],
    [PRIVATE, "public key, whpk_"],
  ])("refuse %j, with the remedy and without the secret", (secret, remedy) => {
    const refusal = expect.objectContaining({
      code: "configuration_invalid",
      message: expect.stringMatching(new RegExp(`^secret: .*${remedy}`)),
    });
    expect(() => scheme.prepare(secret)).toThrow(refusal);
    if (secret.length > 7) expect(() => scheme.prepare(secret)).not.toThrow(secret);
  });

  it.each([PUBLIC, "whsk_", `whsk_${Buffer.alloc(33, 7).toString("base64")}`, "whsec_", SECRET.slice(6)])(
    "do not sign with %j",
    (secret) => {
      expect(() => scheme.sign({ secret, body: BODY, nowMs: NOW })).toThrow(
        expect.objectContaining({ code: "configuration_invalid", message: expect.stringMatching(/^secret: /) }),
      );
    },
  );

  it("accept base64 without padding", () => {
    const key = Buffer.alloc(16, 7).toString("base64");
    const headers = scheme.sign({ secret: `whsec_${key}`, body: BODY, nowMs: NOW });
    expect(check(scheme, [`whsec_${key.replace(/=+$/, "")}`], headers, BODY)).toMatchObject({ secretIndex: 0 });
  });
});

describe("the options of standardWebhooksSignature", () => {
  it.each<[string, unknown]>([
    ["options", null],
    ["toleranceMs", { toleranceMs: 0 }],
    ["toleranceMs", { toleranceMs: 86_400_001 }],
    ["toleranceMs", { toleranceMs: Number.POSITIVE_INFINITY }],
    ["header", { header: "X-Sig" }],
  ])("are named: %s is refused as %j", (option, options) => {
    expect(() => standardWebhooksSignature(options as StandardWebhooksOptions)).toThrow(
      expect.objectContaining({
        code: "configuration_invalid",
        message: expect.stringMatching(new RegExp(`^standardWebhooksSignature: ${option} `)),
      }),
    );
  });

  it("set the tolerance", () => {
    const wide = standardWebhooksSignature({ toleranceMs: 3_600_000 });
    const check1 = (nowMs: number): unknown => check(wide, [SECRET], headersWith(V1), BODY, nowMs);
    expect(check1(SIGNED_AT + 3_600_000)).toMatchObject({ secretIndex: 0 });
    expect(check1(SIGNED_AT + 3_600_001)).toBe("timestamp_out_of_tolerance");
  });
});

describe.each([
  ["standardwebhooks", Webhook],
  ["svix", SvixWebhook],
])("standardWebhooksSignature and %s", (_, Library) => {
  const library = new Library(SECRET);

  it("verifies what it signs", () => {
    const signature = library.sign(ID, new Date(SIGNED_AT), TEXT);
    expect(checked(headersWith(signature))).toEqual({ secretIndex: 0, messageId: ID });
  });

  it("signs what it verifies", () => {
    const headers = scheme.sign({ secret: SECRET, body: BODY, nowMs: Date.now() });
    expect(library.verify(TEXT, headers)).toEqual({ test: 2432232314 });
  });

  it("verifies a rotation: two signatures, separated by a space", () => {
    const old = new Library("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").sign(ID, new Date(SIGNED_AT), TEXT);
    const fresh = library.sign(ID, new Date(SIGNED_AT), TEXT);
    expect(checked(headersWith(`${old} ${fresh}`))).toEqual({ secretIndex: 0, messageId: ID });
  });
});
