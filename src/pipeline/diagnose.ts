import { type Delivery, headerNames } from "../delivery.ts";
import type { RejectionCode, WebhookError } from "../errors.ts";
import type { SignatureScheme } from "../schemes/scheme.ts";

/** What the operator should do about a refusal, where the code alone does not tell. */
const REMEDY: Partial<Record<RejectionCode, string>> = {
  event_too_old:
    "a replay of something older than maxEventAgeMs passes only with maxEventAgeMs and retentionMs raised; a captured delivery looks the same",
  body_too_large: "raise maxBodyBytes if it was genuine",
  receiver_busy:
    "deliveries over 64 KiB are answered 503 until other bodies are read; a flood of large or slow bodies looks like this",
  secret_unavailable: "look at what the secret function returned or threw",
  store_unavailable: "deliveries are answered 503 and retried until the store is back",
};

/** What the operator's log says of a refused delivery: its diagnosis, and where to read on. */
export function diagnose(error: WebhookError, delivery: Delivery, scheme: SignatureScheme): string {
  return `${diagnosis(error, delivery, scheme).join("; ")}. See docs/errors.md#${error.code}`;
}

/**
 * What an operator should know of a refused delivery, point by point: what is wrong, what was looked for and came instead, what
 * to do. Of the delivery it names headers only, made safe to print; no value, no payload, no secret.
 */
export function diagnosis(error: WebhookError, delivery: Delivery, scheme: SignatureScheme): string[] {
  const parts = [`${error.code}: ${error.message}`];
  if (error.code.startsWith("signature_")) {
    parts.push(`looked for ${scheme.description}`, signatureHeaders(delivery));
  }
  const remedy = REMEDY[error.code as RejectionCode];
  if (remedy !== undefined) parts.push(remedy);
  return parts;
}

const LOOKS_LIKE_A_SIGNATURE = /sig|hmac|digest|hash|webhook|svix|bluum/i;
const MAX_NAMES = 8;

function signatureHeaders(delivery: Delivery): string {
  const names = headerNames(delivery.headers).filter((name) => LOOKS_LIKE_A_SIGNATURE.test(name));
  if (names.length === 0) return "no header of the delivery looks like a signature";
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `signature-looking headers that came: ${names.slice(0, MAX_NAMES).map(printable).join(", ")}${more}`;
}

/** A header's name is the sender's text: cut, and stripped to the characters of an HTTP token (RFC 9110, section 5.6.2). */
function printable(name: string): string {
  return name.slice(0, 64).replace(/[^A-Za-z0-9!#$%&'*+.^_`|~-]/g, "?");
}
