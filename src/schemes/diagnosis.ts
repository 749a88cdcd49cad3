import { type Delivery, headerNames, PROBE_HEADER } from "../delivery.ts";
import type { RejectionCode, WebhookError } from "../errors.ts";
import type { SignatureScheme } from "./scheme.ts";

/** What the operator can do about a refusal, for codes that do not say it. */
const REMEDY: Partial<Record<RejectionCode, string>> = {
  event_too_old:
    "to accept a replay this old, raise maxEventAgeMs and retentionMs; an attacker who sends a captured delivery again looks the same",
  body_too_large: "raise maxBodyBytes if the delivery was genuine",
  receiver_busy:
    "deliveries over 64 KiB are answered 503 until other bodies are read and verified; a flood of large or slow bodies looks like this, or a slow secret function",
  secret_unavailable: "check what the secret function returned or threw",
  store_unavailable: "deliveries are answered 503, and Bluum retries them, until the store is back",
};

/** The log line for a refused delivery: its diagnosis, whether it claims to be a probe, and where to read more. */
export function diagnose(error: WebhookError, delivery: Delivery, scheme: SignatureScheme, probe = false): string {
  const parts = diagnosis(error, delivery, scheme);
  if (probe) parts.push(`the request claims to be a probe of verifyMount (unsigned header ${PROBE_HEADER})`);
  return `${parts.join("; ")}. See docs/reference/errors.md#${error.code}`;
}

/**
 * Explains a refused delivery to an operator, point by point: what is wrong, which signature was expected, which headers were sent, what
 * to do. It names headers of the delivery, made safe to print, but never contains a header's value, the payload or a secret.
 */
export function diagnosis(error: WebhookError, delivery: Delivery, scheme: SignatureScheme): string[] {
  const parts = [`${error.code}: ${error.message}`];
  if (error.code.startsWith("signature_")) {
    parts.push(`expected ${scheme.description}`, signatureHeaders(delivery));
  }
  const remedy = REMEDY[error.code as RejectionCode];
  if (remedy !== undefined) parts.push(remedy);
  return parts;
}

const MAX_NAMES = 8;

function looksLikeSignature(name: string): boolean {
  return /sig|hmac|digest|hash|webhook|svix|bluum/i.test(name) && name.toLowerCase() !== PROBE_HEADER;
}

function signatureHeaders(delivery: Delivery): string {
  const names = headerNames(delivery.headers).filter(looksLikeSignature);
  if (names.length === 0) return "no header of the delivery looks like a signature";
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `headers that look like a signature: ${names.slice(0, MAX_NAMES).map(printable).join(", ")}${more}`;
}

/** Header names come from the sender: cuts them, and replaces all but the characters of an HTTP token (RFC 9110, section 5.6.2). */
function printable(name: string): string {
  return name.slice(0, 64).replace(/[^A-Za-z0-9!#$%&'*+.^_`|~-]/g, "?");
}
