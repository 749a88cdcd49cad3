import { bluumSignature, SIGNATURE_HEADER } from "../../bluum/signature.ts";
import { type HmacSignatureOptions, hmacSignature } from "../../schemes/hmac.ts";
import type { SignatureScheme } from "../../schemes/scheme.ts";
import { standardWebhooksSignature } from "../../schemes/standard-webhooks.ts";
import { timestampedSignature } from "../../schemes/timestamped.ts";

/** A scheme that a receiver may use, and the code that creates it. */
export interface Candidate {
  readonly code: string;
  readonly scheme: SignatureScheme;
}

/** The schemes with fixed header names. */
export function presets(): Candidate[] {
  return [
    { code: "bluumSignature()", scheme: bluumSignature() },
    { code: "standardWebhooksSignature()", scheme: standardWebhooksSignature() },
  ];
}

const DEFAULTS = { algorithm: "sha256", encoding: "hex", prefix: "", secretEncoding: "utf8" } as const;

/** The options of every form of a plain HMAC, without default values. */
const FORMS: readonly Omit<HmacSignatureOptions, "header">[] = (["sha256", "sha1", "sha512"] as const)
  .flatMap((algorithm) => (["hex", "base64"] as const).map((encoding) => ({ algorithm, encoding })))
  .flatMap((form) => ["", `${form.algorithm}=`].map((prefix) => ({ ...form, prefix })))
  .flatMap((form) => (["utf8", "base64", "hex"] as const).map((secretEncoding) => ({ ...form, secretEncoding })))
  .map((form) => Object.fromEntries(Object.entries(form).filter(([name, value]) => !isDefault(name, value))));

function isDefault(name: string, value: string): boolean {
  return DEFAULTS[name as keyof typeof DEFAULTS] === value;
}

/** The schemes that can read a signature from a given header. */
export function schemesOf(header: string): Candidate[] {
  const timestamped = { code: codeOf("timestampedSignature", { header }), scheme: timestampedSignature({ header }) };
  const plain = FORMS.map((form) => ({
    code: codeOf("hmacSignature", { header, ...form }),
    scheme: hmacSignature({ header, ...form }),
  }));
  return [timestamped, ...plain];
}

function codeOf(scheme: string, options: object): string {
  const listed = Object.entries(options).map(([name, value]) => `${name}: "${value}"`);
  return `${scheme}({ ${listed.join(", ")} })`;
}

/** Headers in which known providers send signatures, and likely names for Bluum's. */
export const HEADERS: readonly string[] = [
  ...[
    SIGNATURE_HEADER,
    `${SIGNATURE_HEADER}-256`,
    "X-Bluum-Hmac-Sha256",
    "Bluum-Signature",
    "X-Bluum-Webhook-Signature",
  ],
  ...["X-Signature", "X-Signature-256", "X-Signature-Sha256", "Signature", "X-Webhook-Signature", "Webhook-Signature"],
  ...[
    "X-Webhook-Signature-256",
    "X-Hmac-Signature",
    "X-Hmac-Sha256",
    "X-Hmac",
    "X-Hub-Signature",
    "X-Hub-Signature-256",
  ],
  ...["Stripe-Signature", "X-Shopify-Hmac-Sha256", "X-Request-Signature"],
];
