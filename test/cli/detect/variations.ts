import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type CaptureOf, hmac, NOW, SECONDS, SECRET } from "./captures.ts";

/** One way in which a provider may sign: the secret as it shows it, and the delivery of a body. */
export interface Variation {
  readonly name: string;
  readonly secret: string;
  readonly sends: (body: string) => CaptureOf;
  /** The `scheme:` line, if one of the package's own schemes matches. */
  readonly scheme?: string;
}

type Writing = (digest: Buffer) => string;

const WRITINGS: readonly (readonly [name: string, writing: Writing])[] = [
  ["hex", (digest) => digest.toString("hex")],
  ["upper-case hex", (digest) => digest.toString("hex").toUpperCase()],
  ["base64", (digest) => digest.toString("base64")],
  ["base64 without padding", (digest) => digest.toString("base64").replaceAll("=", "")],
  ["base64url", (digest) => digest.toString("base64url")],
  ["base64url with padding", (digest) => digest.toString("base64").replaceAll("+", "-").replaceAll("/", "_")],
];

const ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"];

const plainForms: Variation[] = ALGORITHMS.flatMap((algorithm) =>
  WRITINGS.map(([writing, write]) => ({
    name: `${algorithm} in ${writing}`,
    secret: SECRET,
    sends: (body) => ({ headers: { "X-Acme-Signature": write(hmac(algorithm, SECRET, body)) } }),
  })),
);

const HEADERS = [
  "Signature",
  "X-Hub-Signature-256",
  "X-Shopify-Hmac-SHA256",
  "Authorization",
  "x-acme_sig",
  "X-Bluum-Signature-256",
];

const headers: Variation[] = HEADERS.map((header) => ({
  name: `the header ${header}`,
  secret: SECRET,
  sends: (body) => ({ headers: { [header]: hmac("sha256", SECRET, body).toString("hex") } }),
  scheme: `hmacSignature({ header: "${header}" })`,
}));

const PREFIXES: readonly (readonly [prefix: string, suffix: string, isPreset: boolean])[] = [
  ["sha256=", "", true],
  ["sha256:", "", true],
  ["v1=", "", true],
  ["v1", "", true],
  ["HMAC-SHA256 ", "", true],
  ["Bearer hmac ", "", true],
  ["sha256-", "", true],
  ["0x", "", true],
  ["v1,", "", false],
  ['signature="', '"', false],
  ['keyId="k1",signature="', '"', false],
  ["<", ">", false],
  ["${`\\/]*", "", true],
];

const prefixes: Variation[] = PREFIXES.map(([prefix, suffix, isPreset]) => ({
  name: `${JSON.stringify(prefix)} before it${suffix === "" ? "" : ` and ${suffix} after it`}`,
  secret: SECRET,
  sends: (body) => ({
    headers: { "X-Acme-Signature": prefix + hmac("sha256", SECRET, body).toString("hex") + suffix },
  }),
  ...(isPreset && { scheme: `hmacSignature({ header: "X-Acme-Signature", prefix: ${JSON.stringify(prefix)} })` }),
}));

const KEY = Buffer.from("fbefbe7f00112233445566778899aabbccddeeff", "hex");
const SECRETS: readonly (readonly [name: string, secret: string, key: string | Buffer, scheme?: string])[] = [
  ["its text", SECRET, SECRET, 'hmacSignature({ header: "X-Acme-Signature" })'],
  [
    "text outside ASCII",
    "clé secrète de quelques octets",
    "clé secrète de quelques octets",
    'hmacSignature({ header: "X-Acme-Signature" })',
  ],
  ["base64", KEY.toString("base64"), KEY, 'hmacSignature({ header: "X-Acme-Signature", secretEncoding: "base64" })'],
  ["base64url", KEY.toString("base64url"), KEY],
  ["hex", KEY.toString("hex"), KEY, 'hmacSignature({ header: "X-Acme-Signature", secretEncoding: "hex" })'],
  [
    "upper-case hex",
    KEY.toString("hex").toUpperCase(),
    KEY,
    'hmacSignature({ header: "X-Acme-Signature", secretEncoding: "hex" })',
  ],
  [
    "base64 after whsec_",
    `whsec_${KEY.toString("base64")}`,
    KEY,
    'hmacSignature({ header: "X-Acme-Signature", secretEncoding: "base64" })',
  ],
  ["base64url after whsec_", `whsec_${KEY.toString("base64url")}`, KEY],
  [
    "hex after sk_live_",
    `sk_live_${KEY.toString("hex")}`,
    KEY,
    'hmacSignature({ header: "X-Acme-Signature", secretEncoding: "hex" })',
  ],
  ["the text after whsec_", `whsec_${SECRET}`, SECRET, 'hmacSignature({ header: "X-Acme-Signature" })'],
  [
    "its text including whsec_",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    'hmacSignature({ header: "X-Acme-Signature" })',
  ],
];

const secrets: Variation[] = SECRETS.map(([name, secret, key, scheme]) => ({
  name: `the key is ${name}`,
  secret,
  sends: (body) => ({ headers: { "X-Acme-Signature": hmac("sha256", key, body).toString("hex") } }),
  ...(scheme && { scheme }),
}));

const TIMES: readonly (readonly [name: string, text: string])[] = [
  ["unix seconds", SECONDS],
  ["unix seconds with a fraction", `${SECONDS}.25`],
  ["unix milliseconds", String(NOW)],
  ["unix microseconds", `${NOW}000`],
  ["unix nanoseconds", `${NOW}000000`],
  ["ISO 8601", new Date(NOW).toISOString()],
  ["ISO 8601 with an offset", "2025-06-15T17:06:40+02:00"],
  ["an HTTP date", new Date(NOW).toUTCString()],
];

const times: Variation[] = TIMES.map(([name, time]) => ({
  name: `a timestamp in ${name}`,
  secret: SECRET,
  sends: (body) => ({
    headers: { "X-Acme-Time": time, "X-Acme-Signature": hmac("sha256", SECRET, time, ".", body).toString("hex") },
  }),
}));

/** Each body has its own id and time. */
function idOf(body: string): string {
  return `5f9c1e1a-8f1f-4a53-9a3c-${hmac("sha1", "id", body).toString("hex").slice(0, 12)}`;
}

function secondsOf(body: string): string {
  return String(Number(SECONDS) + (hmac("sha1", "time", body)[0] ?? 0));
}

/** The signed content of a body; the timestamp and the id have headers of their own. */
type Signed = (body: string, ts: string, id: string) => readonly string[];
const CONTENTS: readonly (readonly [name: string, signed: Signed])[] = [
  ...[".", "", ":", "|", "\n", "-", "_", ",", " ", ";", "&", "/"].map(
    (joiner) => [`ts, ${JSON.stringify(joiner)} and body`, (body: string, ts: string) => [ts, joiner, body]] as const,
  ),
  ["v0:ts:body", (body, ts) => ["v0:", ts, ":", body]],
  ["v1:ts:body", (body, ts) => ["v1:", ts, ":", body]],
  ["id.ts.body", (body, ts, id) => [id, ".", ts, ".", body]],
  ["id, ts and body without a separator", (body, ts, id) => [id, ts, body]],
  ["ts.id.body", (body, ts, id) => [ts, ".", id, ".", body]],
  ["ts, id and body on lines, with a line break at the end", (body, ts, id) => [ts, "\n", id, "\n", body, "\n"]],
  ["id.body", (body, _, id) => [id, ".", body]],
  ["body.id", (body, _, id) => [body, ".", id]],
  ["body and ts", (body, ts) => [body, ts]],
  ["body.ts", (body, ts) => [body, ".", ts]],
  ["body, id and ts", (body, ts, id) => [body, ":", id, ":", ts]],
  ["url and body", (body) => ["https://hooks.example.com/webhooks/bluum", body]],
  ["path and body", (body) => ["/webhooks/bluum", body]],
  ["path on a line before the body", (body) => ["/webhooks/bluum", "\n", body]],
  ["method, url, body and ts", (body, ts) => ["POST", "https://hooks.example.com/webhooks/bluum", body, ts]],
  ["ts, method, path and body", (body, ts) => [ts, "POST", "/webhooks/bluum", body]],
  ["method, path, ts and body on lines", (body, ts) => ["POST", "\n", "/webhooks/bluum", "\n", ts, "\n", body]],
  ["ts, id, method, path and body", (body, ts, id) => [[ts, id, "POST", "/webhooks/bluum", body].join(".")]],
];

const contents: Variation[] = CONTENTS.map(([name, signed]) => ({
  name: `signs ${name}`,
  secret: SECRET,
  sends: (body) => ({
    headers: {
      "X-Acme-Id": idOf(body),
      "X-Acme-Timestamp": secondsOf(body),
      "X-Acme-Signature": `sha256=${hmac("sha256", SECRET, ...signed(body, secondsOf(body), idOf(body))).toString("hex")}`,
    },
  }),
}));

const LISTS: readonly (readonly [value: (digest: string, ts: string, id: string) => string, scheme?: string])[] = [
  [(digest, ts) => `t=${ts},v1=${digest}`, 'timestampedSignature({ header: "X-Acme-Signature" })'],
  [(digest, ts) => `v1=${digest},t=${ts}`, 'timestampedSignature({ header: "X-Acme-Signature" })'],
  [
    (digest, ts) => `t=${ts}, v1=${"0".repeat(64)}, v1=${digest}`,
    'timestampedSignature({ header: "X-Acme-Signature" })',
  ],
  [(digest, ts) => `t=${ts},v0=${digest}`],
  [(digest, ts) => `t=${ts},s=${digest}`],
  [(digest, ts) => `ts=${ts};h1=${digest}`],
  [(digest, ts, id) => `nonce=${id};t=${ts};sig=${digest}`],
  [(digest, ts, id) => `t=${ts};sig=${digest};nonce=${id}`],
  [(digest, ts, id) => `id="${id}", t=${ts}, sig="${digest}"`],
  [(digest, ts, id) => `HMAC ${ts}:${id}:${digest}`],
  [(digest, ts) => `t=${ts} v1=${digest}`],
  [(digest, ts) => `time=${ts}&sig=${digest}`],
  [(digest, ts) => `t=${ts}|${digest}`],
  [(digest, ts) => `${ts}:${digest}`],
  [(digest, ts) => `${ts}.${digest}`],
  [(digest, ts) => `${ts}/${digest}`],
  [(digest, ts) => `t=${ts}000,v1=${digest}`],
];

const lists: Variation[] = LISTS.map(([value, scheme]) => ({
  name: `one header like ${value("…", SECONDS, "…")}`,
  secret: SECRET,
  sends: (body) => {
    const ts = secondsOf(body);
    const time = value("", ts, "").includes(`${ts}000`) ? `${ts}000` : ts;
    const digest = hmac("sha256", SECRET, time, ".", body).toString("hex");
    return { headers: { "X-Acme-Signature": value(digest, ts, idOf(body)) } };
  },
  ...(scheme && { scheme }),
}));

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const RAW_PUBLIC = publicKey.export({ format: "der", type: "spki" }).subarray(-32);

function signed(key: KeyObject, ...parts: readonly string[]): Buffer {
  return sign(null, Buffer.from(parts.join("")), key);
}

const keyPairs: Variation[] = [
  {
    name: "ed25519 of ts and body, the public key in hex",
    secret: RAW_PUBLIC.toString("hex"),
    sends: (body) => ({
      headers: {
        "X-Signature-Timestamp": SECONDS,
        "X-Signature-Ed25519": signed(privateKey, SECONDS, body).toString("hex"),
      },
    }),
  },
  {
    name: "ed25519 of the body, the public key after whpk_",
    secret: `whpk_${RAW_PUBLIC.toString("base64")}`,
    sends: (body) => ({ headers: { "X-Acme-Signature": signed(privateKey, body).toString("base64") } }),
  },
  {
    name: "Standard Webhooks' v1a",
    secret: `whpk_${RAW_PUBLIC.toString("base64")}`,
    sends: (body) => ({
      headers: {
        "webhook-id": "msg_1",
        "webhook-timestamp": SECONDS,
        "webhook-signature": `v1a,${signed(privateKey, "msg_1.", SECONDS, ".", body).toString("base64")}`,
      },
    }),
    scheme: "standardWebhooksSignature()",
  },
];

const STANDARD = ["webhook", "svix"].flatMap((set) =>
  [`whsec_${KEY.toString("base64")}`, KEY.toString("base64")].map(
    (secret): Variation => ({
      name: `Standard Webhooks as ${set}-*, the secret ${secret.startsWith("whsec_") ? "with" : "without"} whsec_`,
      secret,
      sends: (body) => ({
        headers: {
          [`${set}-id`]: "msg_2",
          [`${set}-timestamp`]: SECONDS,
          [`${set}-signature`]: `v1,${hmac("sha256", KEY, "msg_2.", SECONDS, ".", body).toString("base64")}`,
        },
      }),
      scheme: "standardWebhooksSignature()",
    }),
  ),
);

const underOtherNames: Variation = {
  name: "Standard Webhooks in headers of the provider's own, with two signatures",
  secret: `whsec_${KEY.toString("base64")}`,
  sends: (body) => {
    const signature = hmac("sha256", KEY, "msg_2.", SECONDS, ".", body).toString("base64");
    const other = hmac("sha256", "another key", body).toString("base64");
    return {
      headers: { "bluum-id": "msg_2", "bluum-timestamp": SECONDS, "bluum-signature": `v1,${other} v1,${signature}` },
    };
  },
};

/** Every variation, signed without the package. */
export const VARIATIONS: readonly Variation[] = [
  ...plainForms,
  ...headers,
  ...prefixes,
  ...secrets,
  ...times,
  ...contents,
  ...lists,
  ...keyPairs,
  ...STANDARD,
  underOtherNames,
];
